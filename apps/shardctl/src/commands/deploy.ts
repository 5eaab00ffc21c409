// `shardctl deploy`: replaces every worker by a new process of the bot without a gap, in resident mode.
import { Command } from 'commander';
import { option } from '../option.js';
import { whole } from '../option-parsers.js';
import { type TargetOptions, target, targetOptions } from '../target.js';

interface DeployOptions extends TargetOptions {
	parallel?: number;
}

export function deployCommand(): Command {
	const command = new Command('deploy')
		.description(
			'Replaces every worker by a new process of the bot, without an identify and without a missed event; a version that does ' +
				'not become ready is rolled back. Needs a fleet that was started with --gateway resident.',
		)
		.addOption(option('--parallel <count>', 'how many workers at once (default: 1)').argParser(whole(1)));
	for (const each of targetOptions()) command.addOption(each);
	return command.action(async ({ parallel, ...which }: DeployOptions) => {
		const { client, label } = await target(which);
		const progress = new AbortController();
		void showProgress(client.followEvents({ signal: progress.signal }));
		try {
			const { workers, tookMs } = await client.deploy({ parallel });
			process.stderr.write(`deployed ${workers.length} workers of ${label} in ${(tookMs / 1000).toFixed(1)} s\n`);
		} finally {
			progress.abort();
		}
	});
}

type Events = ReturnType<Awaited<ReturnType<typeof target>>['client']['followEvents']>;

/** What happens to each worker, as it happens. It is talk: when it breaks off, the deploy goes on. */
async function showProgress(events: Events): Promise<void> {
	const { describeEvent } = await import('../fleet-event-text.js');
	const startedAt = Date.now();
	try {
		for await (const event of events) {
			if (!('item' in event) || event.item.at < startedAt) continue;
			const { item } = event;
			if (item.type === 'worker:deployed' || item.type === 'worker:rolled-back') {
				process.stderr.write(`${describeEvent(item).text}\n`);
			}
		}
	} catch {
		// The manager has ended, or the deploy has.
	}
}
