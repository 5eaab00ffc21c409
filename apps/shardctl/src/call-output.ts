// What `eval` and `fetch` share: the target of the call, and how the answers of the workers are printed.
import type { CallResult } from '@shardctl/control';
import { workerMark } from '@shardctl/core';
import type { Option } from 'commander';
import { exitCodes } from './exit-codes.js';
import { jsonOption, option } from './option.js';
import { duration, whole } from './option-parsers.js';
import { scopeOptions, type TargetOptions, targetOptions } from './target.js';
import { err, out, workerColour } from './terminal/colours.js';
import { printErr, printOut } from './terminal/print.js';

export interface CallCommandOptions extends TargetOptions {
	json?: boolean;
	shard?: number;
	guild?: string;
	timeout?: number;
}

export function callOptions(): Option[] {
	return [
		option('--shard <id>', 'only in the worker that owns this shard').argParser(whole(0)),
		option('--guild <id>', 'only in the worker that has this guild').conflicts('shard'),
		option('--timeout <time>', 'deadline for the workers (default: 30s)').argParser(duration),
		jsonOption(),
		...targetOptions(),
		...scopeOptions(),
	];
}

/** Values to standard output, failures to standard error; the exit status is 1 when some worker failed. */
export function printResults(results: readonly CallResult[], { json }: { json: boolean }): void {
	if (results.some(({ status }) => status === 'rejected')) process.exitCode = exitCodes.failed;
	if (json) {
		const plain = results.map((result) => {
			const { workerId, shardIds, status, node } = result;
			return {
				...(node === undefined ? {} : { node }),
				workerId,
				shardIds,
				status,
				...(result.status === 'fulfilled' ? { value: result.value } : { error: result.error }),
			};
		});
		printOut(`${JSON.stringify(plain, null, 2)}\n`);
		return;
	}
	for (const result of results) {
		const mark = `[${workerMark(result.workerId, result.shardIds)}]`;
		const prefix = results.length === 1 ? '' : `${workerColour(out, result.workerId)(mark)} `;
		if (result.status === 'fulfilled') printOut(`${prefix}${result.shown}\n`);
		else {
			const { name, code, message } = result.error;
			printErr(`${err.red('error')} ${mark} ${name ?? code}: ${message}\n`);
		}
	}
}
