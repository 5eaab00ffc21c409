// `shardctl stats`: the fleet at a glance, as JSON, or live.
import { Command } from 'commander';
import { jsonOption, option } from '../option.js';
import { duration } from '../option-parsers.js';
import { scopeOptions, type TargetOptions, target, targetOptions } from '../target.js';
import { printOut } from '../terminal/print.js';

interface StatsOptions extends TargetOptions {
	json?: boolean;
	watch?: boolean;
	interval: number;
	fresh?: boolean;
}

export function statsCommand(): Command {
	const command = new Command('stats')
		.description('Shows a running fleet and each of its shards.')
		.addOption(jsonOption())
		.addOption(option('-w, --watch', 'refresh continuously, like top'))
		.addOption(option('--interval <time>', 'refresh interval, with --watch').default(1000, '1s').argParser(duration))
		.addOption(option('--fresh', 'query the workers now instead of using their last report'));
	for (const each of [...targetOptions(), ...scopeOptions()]) command.addOption(each);
	return command.action(async ({ json, watch, interval, fresh, ...which }: StatsOptions) => {
		const { client, label } = await target(which);
		if (watch) {
			const { watchStats } = await import('../stats/watch.js');
			await watchStats(client, { label, intervalMs: interval, json: json ?? false });
			return;
		}
		const stats = await client.stats(fresh ? { fresh } : {});
		if (json) {
			printOut(`${JSON.stringify(stats, null, 2)}\n`);
			return;
		}
		const { statsTable } = await import('../stats/stats-table.js');
		const { outputWidth } = await import('../terminal/width.js');
		printOut(statsTable(stats, { width: outputWidth(process.stdout), nowMs: Date.now() }));
	});
}
