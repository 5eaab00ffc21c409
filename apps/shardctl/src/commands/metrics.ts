// `shardctl metrics`: the figures of a fleet for Prometheus, where it does not scrape the manager itself.
import { Command } from 'commander';
import { type TargetOptions, target, targetOptions } from '../target.js';

export function metricsCommand(): Command {
	const command = new Command('metrics').description('Prints the figures of a running fleet in the text format of Prometheus.');
	for (const each of targetOptions()) command.addOption(each);
	return command.action(async (which: TargetOptions) => {
		const { client } = await target(which);
		process.stdout.write(await client.metrics());
	});
}
