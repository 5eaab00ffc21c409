// `shardctl stop`: asks a manager to stop its fleet and waits until it has exited.
import { Command } from 'commander';
import { option } from '../option.js';
import { duration } from '../option-parsers.js';
import { type TargetOptions, target, targetOptions } from '../target.js';
import { printErr } from '../terminal/print.js';

export function stopCommand(): Command {
	const command = new Command('stop')
		.summary('Stops a fleet and waits until it has stopped.')
		.description('Stops a running fleet and waits until it has stopped.')
		.addOption(option('--grace <time>', "how long workers have to shut down (default: the fleet's --grace)").argParser(duration));
	for (const each of targetOptions({ ownFolder: true })) command.addOption(each);
	return command.action(async ({ grace, ...which }: TargetOptions & { grace?: number }) => {
		const { client, label } = await target(which, 'stop');
		await client.stop(grace === undefined ? {} : { graceMs: grace });
		printErr(`stopped ${label}\n`);
	});
}
