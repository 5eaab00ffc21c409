// `shardctl events`: the events of the fleet.
import type { ControlClient, FleetEvent } from '@shardctl/control';
import { Command } from 'commander';
import type { EventFilter } from '../events/event-filter.js';
import { jsonOption, option } from '../option.js';
import { moment, whole } from '../option-parsers.js';
import { scopeOptions, type TargetOptions, targetOptions, targetOrEnded } from '../target.js';
import { printOut } from '../terminal/print.js';

interface EventsOptions extends TargetOptions {
	json?: boolean;
	follow?: boolean;
	tail: number;
	shard?: number;
	worker?: number;
	since?: number;
	type?: string;
}

/** More than a manager keeps. */
const allEvents = 1_000_000;
/** How long `--follow` waits for further events of one incident before it prints them. */
const settleMs = 250;

export function eventsCommand(): Command {
	const command = new Command('events')
		.summary('Prints the events of the fleet.')
		.description(
			'Prints the events of the fleet: starts, exits, lost connections. Of a fleet that has ended, those of its files.',
		)
		.addOption(option('-f, --follow', 'keep printing new events'))
		.addOption(option('-n, --tail <count>', 'number of recent events to print').default(50).argParser(whole(0)))
		.addOption(option('--shard <id>', 'only events about this shard').argParser(whole(0)))
		.addOption(option('--worker <id>', 'only events about this worker').argParser(whole(0)))
		.addOption(option('--since <time>', 'only events of the last 10m, 2h, …, or since a date and time').argParser(moment))
		.addOption(option('--type <types>', 'only these types, such as worker:exited or shard,snapshot:failed'))
		.addOption(jsonOption())
		.addHelpText(
			'after',
			`
An event that happens to many shards within a second is printed once; --json
prints every event.

Examples:
  $ shardctl events --since 1h --type worker
  $ shardctl events -f --shard 3`,
		);
	for (const each of [...targetOptions(), ...scopeOptions()]) command.addOption(each);
	return command.action(async ({ json, follow, tail, shard, worker, since, type, ...which }: EventsOptions) => {
		const found = await targetOrEnded(which);
		const types = type?.split(',').map((name) => name.trim());
		const print = await eventPrinter(json ?? false);
		const { passes } = await import('../events/event-filter.js');
		const filter: EventFilter = { shard, worker, since, types };
		const last = (events: readonly FleetEvent[]) =>
			tail === 0 ? [] : events.filter((event) => passes(event, filter)).slice(-tail);
		if ('ended' in found) {
			const { journalEvents } = await import('@shardctl/control');
			print(last(journalEvents(found.ended.name)));
			const { reportEnded } = await import('../history/report-ended.js');
			reportEnded(found.ended);
			return;
		}
		const { client } = found.running;
		const known = await client.events({ tail: allEvents });
		print(last(known));
		if (follow) await followEvents(client, { known, shows: (event) => passes(event, filter), print });
	});
}

/** Each node counts its own events, and a node that is started again counts from 1. */
function identityOf({ node = '', seq, at }: FleetEvent): string {
	return `${node} ${seq} ${at}`;
}

async function eventPrinter(json: boolean): Promise<(events: readonly FleetEvent[]) => void> {
	const write = (line: string) => printOut(`${line}\n`);
	if (json) return (events) => events.forEach((event) => void write(JSON.stringify(event)));
	const { groupEvents } = await import('../events/event-groups.js');
	const { groupLine } = await import('../fleet-event-text.js');
	return (events) => groupEvents(events).forEach((group) => void write(groupLine(group)));
}

/** Prints each new event, those of one incident together. */
async function followEvents(
	client: ControlClient,
	{
		known,
		shows,
		print,
	}: {
		known: readonly FleetEvent[];
		shows: (event: FleetEvent) => boolean;
		print: (events: readonly FleetEvent[]) => void;
	},
): Promise<void> {
	const { followStream } = await import('../follow.js');
	const printed = new Set(known.map(identityOf));
	let waiting: FleetEvent[] = [];
	let timer: NodeJS.Timeout | undefined;
	const flush = () => {
		clearTimeout(timer);
		timer = undefined;
		print(waiting);
		waiting = [];
	};
	try {
		await followStream(
			// What happened since the first request is sent again, with everything before it.
			(signal) => client.followEvents({ tail: allEvents, signal }),
			(event) => {
				if (printed.has(identityOf(event)) || !shows(event)) return;
				waiting.push(event);
				timer ??= setTimeout(flush, settleMs);
			},
		);
	} finally {
		flush();
	}
}
