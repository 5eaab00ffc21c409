// `shardctl metrics`: the metrics of a fleet, for a Prometheus that does not scrape the manager itself.
import { Command } from 'commander';
import { type TargetOptions, target, targetOptions } from '../target.js';
import { printOut } from '../terminal/print.js';

export function metricsCommand(): Command {
	const command = new Command('metrics')
		.summary('Prints the metrics in the Prometheus text format.')
		.description('Prints the metrics of a running fleet in the Prometheus text format.');
	for (const each of targetOptions()) command.addOption(each);
	return command.action(async (which: TargetOptions) => {
		const { client } = await target(which);
		printOut(await client.metrics());
	});
}
