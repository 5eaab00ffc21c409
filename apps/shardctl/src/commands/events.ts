// `shardctl events`: what happened to the fleet.
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
		.description('Prints what happened to the fleet: starts, exits, lost connections and the like.')
		.addOption(option('-f, --follow', 'and each new event'))
		.addOption(option('-n, --tail <count>', 'how many of the last events').default(50).argParser(whole(0)))
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
