// `shardctl logs`: the output of the bots.
import type { LogEntry } from '@shardctl/control';
import { formatShardIds } from '@shardctl/core';
import { Command } from 'commander';
import { jsonOption, option } from '../option.js';
import { whole } from '../option-parsers.js';
import { type TargetOptions, target, targetOptions } from '../target.js';
import { out, workerColour } from '../terminal/colours.js';

interface LogsOptions extends TargetOptions {
	json?: boolean;
	follow?: boolean;
	shard?: number;
	tail: number;
	timestamps?: boolean;
}

export function logsCommand(): Command {
	const command = new Command('logs')
		.description('Prints the recent output of the workers.')
		.addOption(option('-f, --follow', 'keep printing new lines'))
		.addOption(option('--shard <id>', 'only the worker that owns this shard').argParser(whole(0)))
		.addOption(option('-n, --tail <count>', 'number of recent lines to print').default(100).argParser(whole(0)))
		.addOption(option('-t, --timestamps', 'prefix each line with its time'))
		.addOption(jsonOption());
	for (const each of targetOptions()) command.addOption(each);
	return command.action(async ({ json, follow, shard, tail, timestamps, ...which }: LogsOptions) => {
		const { client } = await target(which);
		const show = (entry: LogEntry) => {
			if (json) {
				process.stdout.write(`${JSON.stringify(entry)}\n`);
				return;
			}
			const time = timestamps ? `${out.dim(new Date(entry.at).toISOString())} ` : '';
			process.stdout.write(`${time}${workerColour(out, entry.workerId)(`[${formatShardIds(entry.shardIds)}]`)} ${entry.line}\n`);
		};
		if (follow) {
			const { followStream } = await import('../follow.js');
			await followStream((signal) => client.followLogs({ shard, tail, signal }), show);
			return;
		}
		for (const entry of await client.logs({ shard, tail })) show(entry);
	});
}
