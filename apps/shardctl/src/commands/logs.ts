// `shardctl logs`: the output of the bots.
import type { LogEntry } from '@shardctl/control';
import { Command } from 'commander';
import { jsonOption, option } from '../option.js';
import { whole } from '../option-parsers.js';
import { scopeOptions, type TargetOptions, targetOptions, targetOrEnded } from '../target.js';

interface LogsOptions extends TargetOptions {
	json?: boolean;
	follow?: boolean;
	shard?: number;
	process?: number;
	tail: number;
	timestamps?: boolean;
}

/** More than a manager keeps. */
const allLines = 10_000_000;

export function logsCommand(): Command {
	const command = new Command('logs')
		.summary('Prints the recent output of the workers.')
		.description('Prints the recent output of the workers, of processes that were replaced and of a fleet that has ended too.')
		.addOption(option('-f, --follow', 'keep printing new lines'))
		.addOption(option('--shard <id>', 'only the worker that owns this shard').argParser(whole(0)))
		.addOption(option('--process <pid>', 'only the lines of this process').argParser(whole(1)))
		.addOption(option('-n, --tail <count>', 'number of recent lines to print').default(100).argParser(whole(0)))
		.addOption(option('-t, --timestamps', 'prefix each line with its time'))
		.addOption(jsonOption());
	for (const each of [...targetOptions(), ...scopeOptions()]) command.addOption(each);
	return command.action(async ({ json, follow, shard, process: pid, tail, timestamps, ...which }: LogsOptions) => {
		const found = await targetOrEnded(which);
		const { linePrinter } = await import('../logs/line-printer.js');
		const { print, show } = linePrinter({ json: json ?? false, timestamps: timestamps ?? false });
		const passes = (entry: LogEntry) =>
			(pid === undefined || entry.pid === pid) && (shard === undefined || entry.shardIds.includes(shard));
		const last = (entries: readonly LogEntry[]) => (tail === 0 ? [] : entries.filter(passes).slice(-tail));
		if ('ended' in found) {
			const { journalOutput } = await import('@shardctl/control');
			print(last(journalOutput(found.ended.name)));
			const { reportEnded } = await import('../history/report-ended.js');
			reportEnded(found.ended);
			return;
		}
		const { client } = found.running;
		if (!follow) {
			print(last(await client.logs({ shard, tail: pid === undefined ? tail : allLines })));
			return;
		}
		const { followStream } = await import('../follow.js');
		await followStream(
			(signal) => client.followLogs({ shard, tail, signal }),
			(entry) => {
				if (passes(entry)) show(entry);
			},
		);
	});
}
