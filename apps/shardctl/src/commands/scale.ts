// `shardctl scale`: changes how many workers of a queue run, and waits until they do.
import { Command } from 'commander';
import { whole } from '../option-parsers.js';
import { scopeOptions, type TargetOptions, target, targetOptions } from '../target.js';
import { plural } from '../terminal/count.js';
import { printErr } from '../terminal/print.js';

export function scaleCommand(): Command {
	const command = new Command('scale')
		.summary('Changes how many workers read the event queue.')
		.description(
			'Starts more workers, or ends some after they have finished their events, and waits until that is done. Their group divides the ' +
				'events among those that are there. In a cluster the number is for each node that runs any. Requires a fleet started with --gateway queue; ' +
				'after a stop it starts with --workers again.',
		)
		.argument('<workers>', 'how many workers to run', (text: string) => whole(1)(text));
	for (const each of [...targetOptions({ ownFolder: true }), ...scopeOptions()]) command.addOption(each);
	return command.action(async (workers: number, which: TargetOptions) => {
		const { client, label } = await target(which, 'scale');
		const { from, to } = await client.scale(workers);
		printErr(
			from === to
				? `${label} runs ${plural(to, 'worker')} already\n`
				: `scaled ${label} from ${from} to ${plural(to, 'worker')}\n`,
		);
	});
}
