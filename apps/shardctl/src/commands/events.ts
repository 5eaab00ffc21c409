// `shardctl events`: the events of the fleet.
import type { FleetEvent } from '@shardctl/control';
import { Command } from 'commander';
import { jsonOption, option } from '../option.js';
import { whole } from '../option-parsers.js';
import { type TargetOptions, target, targetOptions } from '../target.js';

interface EventsOptions extends TargetOptions {
	json?: boolean;
	follow?: boolean;
	tail: number;
}

export function eventsCommand(): Command {
	const command = new Command('events')
		.summary('Prints the events of the fleet.')
		.description('Prints the events of the fleet: starts, exits, lost connections.')
		.addOption(option('-f, --follow', 'keep printing new events'))
		.addOption(option('-n, --tail <count>', 'number of recent events to print').default(50).argParser(whole(0)))
		.addOption(jsonOption());
	for (const each of targetOptions()) command.addOption(each);
	return command.action(async ({ json, follow, tail, ...which }: EventsOptions) => {
		const { client } = await target(which);
		const { eventLine } = await import('../fleet-event-text.js');
		const show = (event: FleetEvent) => process.stdout.write(`${json ? JSON.stringify(event) : eventLine(event)}\n`);
		if (follow) {
			const { followStream } = await import('../follow.js');
			await followStream((signal) => client.followEvents({ tail, signal }), show);
			return;
		}
		for (const event of await client.events({ tail })) show(event);
	});
}
