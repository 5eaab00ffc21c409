// `shardctl stats`: the fleet at a glance, as JSON, or live.
import { Command } from 'commander';
import { jsonOption, option } from '../option.js';
import { duration } from '../option-parsers.js';
import { type TargetOptions, target, targetOptions } from '../target.js';

interface StatsOptions extends TargetOptions {
	json?: boolean;
	watch?: boolean;
	interval: number;
	fresh?: boolean;
}

export function statsCommand(): Command {
	const command = new Command('stats')
		.description('Shows every shard of a running fleet.')
		.addOption(jsonOption())
		.addOption(option('-w, --watch', 'keep showing it, in the manner of top'))
		.addOption(option('--interval <time>', 'how often, with --watch').default(1000, '1s').argParser(duration))
		.addOption(option('--fresh', 'ask the workers now instead of showing what they said last'));
	for (const each of targetOptions()) command.addOption(each);
	return command.action(async ({ json, watch, interval, fresh, ...which }: StatsOptions) => {
		const { client, label } = await target(which);
		if (watch) {
			const { watchStats } = await import('../stats/watch.js');
			await watchStats(client, { label, intervalMs: interval, json: json ?? false });
			return;
		}
		const stats = await client.stats(fresh ? { fresh } : {});
		if (json) {
			process.stdout.write(`${JSON.stringify(stats, null, 2)}\n`);
			return;
		}
		const { statsTable } = await import('../stats/stats-table.js');
		const width = process.stdout.isTTY ? process.stdout.columns : Number.POSITIVE_INFINITY;
		process.stdout.write(statsTable(stats, { width, nowMs: Date.now() }));
	});
}
