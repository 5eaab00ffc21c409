// `shardctl deploy`: replaces every worker with a new process of the bot without a gap, in resident mode.
import { Command } from 'commander';
import { option } from '../option.js';
import { whole } from '../option-parsers.js';
import { type TargetOptions, target, targetOptions } from '../target.js';
import { plural } from '../terminal/count.js';

interface DeployOptions extends TargetOptions {
	parallel?: number;
}

export function deployCommand(): Command {
	const command = new Command('deploy')
		.summary('Replaces every worker without a missed event.')
		.description(
			'Replaces every worker with a new process of the bot, without an identify and without a missed event. A version that ' +
				'does not become ready is rolled back. Requires a fleet started with --gateway resident.',
		)
		.addOption(option('--parallel <count>', 'workers to replace at once (default: 1)').argParser(whole(1)));
	for (const each of targetOptions()) command.addOption(each);
	return command.action(async ({ parallel, ...which }: DeployOptions) => {
		const { client, label } = await target(which);
		const { withProgress } = await import('../progress.js');
		const { manager, gateways } = await client.stats();
		if (gateways && manager.workers > 1) process.stderr.write(`deploying ${manager.workers} workers of ${label}\n`);
		const deployed = await withProgress(client, ['worker:deployed', 'worker:rolled-back'], () => client.deploy({ parallel }));
		const { workers, tookMs } = deployed;
		process.stderr.write(`deployed ${plural(workers.length, 'worker')} of ${label} in ${(tookMs / 1000).toFixed(1)} s\n`);
	});
}
