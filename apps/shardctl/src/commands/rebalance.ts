// `shardctl rebalance`: evens out the nodes of a cluster now, which it does by itself once they were the same for 10 s.
import { describeSessions, describeShards } from '@shardctl/core';
import { Command } from 'commander';
import { jsonOption, option } from '../option.js';
import { type TargetOptions, target, targetOptions } from '../target.js';
import { plural } from '../terminal/count.js';
import { printErr, printOut } from '../terminal/print.js';

export function rebalanceCommand(): Command {
	const command = new Command('rebalance')
		.summary('Evens out the nodes of a cluster.')
		.description(
			'Moves sessions from the fullest nodes of a cluster to the emptiest until they are even, a tenth of all at a time. The cluster does ' +
				'that by itself once its nodes were the same for 10 s.',
		)
		.addOption(option('--dry-run', 'only print the moves'))
		.addOption(jsonOption());
	for (const each of targetOptions({ ownFolder: true })) command.addOption(each);
	return command.action(
		async ({ dryRun = false, json = false, ...which }: TargetOptions & { dryRun?: boolean; json?: boolean }) => {
			const { client } = await target(which, 'rebalance');
			const moves = await client.rebalance({ dryRun });
			if (json) {
				printOut(`${JSON.stringify({ moves }, null, 2)}\n`);
				return;
			}
			for (const { sessions, shardIds, from, to } of moves)
				printOut(`${describeSessions(sessions)} (${describeShards(shardIds)}): ${from} → ${to}\n`);
			const count = plural(moves.flatMap(({ sessions }) => sessions).length, 'session');
			if (moves.length === 0) printErr('the nodes are even: there is nothing to move\n');
			else printErr(dryRun ? `${count} would move\n` : `${count} moved\n`);
		},
	);
}
