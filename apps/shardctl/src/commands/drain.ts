// `shardctl drain [node]`: moves every session away from a node, and gives it none until the drain is undone.
import { Command } from 'commander';
import { option } from '../option.js';
import { duration } from '../option-parsers.js';
import { type TargetOptions, target, targetOptions } from '../target.js';
import { plural } from '../terminal/count.js';
import { printErr } from '../terminal/print.js';

interface DrainOptions extends TargetOptions {
	deadline?: number;
	undo?: boolean;
	force?: boolean;
}

export function drainCommand(): Command {
	const command = new Command('drain')
		.summary('Moves every session away from a node.')
		.description(
			'Moves every session of a node to the other nodes of the cluster, without an identify and without a missed event, and gives it ' +
				'none until --undo. Returns when it has none left. Ctrl-C ends this command; the sessions continue to move.',
		)
		.argument('[node]', 'the name of a node (default: the node of this fleet)')
		.addOption(option('--deadline <time>', 'how long it may take (default: 2m)').argParser(duration))
		.addOption(option('--undo', 'give the node sessions again'))
		.addOption(option('--force', 'mark the node also where no other node can take its sessions'));
	for (const each of targetOptions({ ownFolder: true })) command.addOption(each);
	return command.action(async (node: string | undefined, { deadline, undo = false, force = false, ...which }: DrainOptions) => {
		const { client } = await target(which, 'drain');
		const { withMoves } = await import('../nodes/watch-moves.js');
		const request = { node, deadlineMs: deadline, undo, force };
		const drained = undo ? await client.drain(request) : await withMoves(client, () => client.drain(request));
		if (undo) printErr(`node ${drained.node} takes sessions again\n`);
		else if (drained.left > 0)
			printErr(`node ${drained.node} is marked, and keeps ${plural(drained.left, 'session')}: no other node can take them\n`);
		else printErr(`node ${drained.node} is drained: ${plural(drained.moved, 'session')} moved\n`);
	});
}
