// `shardctl nodes`: the nodes of a cluster, with what each of them has.
import { ShardctlError } from '@shardctl/core';
import { Command } from 'commander';
import { jsonOption, option } from '../option.js';
import { duration } from '../option-parsers.js';
import { type TargetOptions, target, targetOptions } from '../target.js';
import { printErr, printOut } from '../terminal/print.js';

interface NodesOptions extends TargetOptions {
	json?: boolean;
	watch?: boolean;
	interval: number;
}

export function nodesCommand(): Command {
	const command = new Command('nodes')
		.summary('Lists the nodes of a cluster.')
		.description('Lists the nodes of a cluster, with what each of them has. Any node of the cluster returns the same.')
		.addOption(jsonOption())
		.addOption(option('-w, --watch', 'print them again at each interval'))
		.addOption(option('--interval <time>', 'interval, with --watch').default(1000, '1s').argParser(duration));
	for (const each of targetOptions()) command.addOption(each);
	return command.action(async ({ json = false, watch = false, interval, ...which }: NodesOptions) => {
		const { client } = await target(which);
		const { nodesText } = await import('../nodes/nodes-table.js');
		const print = async () => {
			const answer = await client.nodes();
			printOut(json ? `${JSON.stringify(answer, null, watch ? undefined : 2)}\n` : nodesText(answer, Date.now()));
		};
		await print();
		if (!watch) return;
		const { repeat } = await import('../nodes/repeat.js');
		let problem: string | undefined;
		await repeat(interval, async () => {
			try {
				await print();
				problem = undefined;
			} catch (error) {
				// A fleet that has ended ends this; Redis may be back in a moment.
				if (!ShardctlError.is(error) || error.code === 'MANAGER_NOT_RUNNING') throw error;
				if (error.message !== problem) printErr(`${error.message}\n`);
				problem = error.message;
			}
		});
	});
}
