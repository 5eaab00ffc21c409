// `shardctl move <shard> <node>`: moves the session that carries a shard to another node.
import { describeSessions, describeShards } from '@shardctl/core';
import { Command } from 'commander';
import { whole } from '../option-parsers.js';
import { type TargetOptions, target, targetOptions } from '../target.js';
import { printErr } from '../terminal/print.js';

export function moveCommand(): Command {
	const command = new Command('move')
		.summary('Moves a shard to another node.')
		.description(
			'Moves the session with Discord that carries a shard, with all shards of that session, to a node of the cluster. Returns when it ' +
				'is ready there. Sessions that have replaced one session move together. The cluster may move it again when it evens out its nodes.',
		)
		.argument('<shard>', 'a shard id', whole(0))
		.argument('<node>', 'the name of a node');
	for (const each of targetOptions({ ownFolder: true })) command.addOption(each);
	return command.action(async (shardId: number, node: string, which: TargetOptions) => {
		const { client } = await target(which, 'move');
		const { sessions, shardIds, from, to, moved } = await client.move({ shardId, node });
		const what = `${describeSessions(sessions)} (${describeShards(shardIds)})`;
		const [is, they, was] = sessions.length === 1 ? ['is', 'it', 'was'] : ['are', 'they', 'were'];
		printErr(
			moved ? `${what} ${is} ready on node ${to}; ${they} ${was} on node ${from}\n` : `${what} ${was} on node ${to} already\n`,
		);
	});
}
