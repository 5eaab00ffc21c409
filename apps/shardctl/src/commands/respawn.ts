// `shardctl respawn <shard>`: replaces the worker that owns a shard and waits until it is ready.
import { describeShards } from '@shardctl/core';
import { Command } from 'commander';
import { whole } from '../option-parsers.js';
import { scopeOptions, type TargetOptions, target, targetOptions } from '../target.js';
import { printErr } from '../terminal/print.js';

export function respawnCommand(): Command {
	const command = new Command('respawn')
		.summary('Replaces the worker of one shard.')
		.description('Replaces the worker that owns a shard, and waits until it is ready again.')
		.argument('<shard>', 'a shard id', whole(0));
	for (const each of [...targetOptions({ ownFolder: true }), ...scopeOptions()]) command.addOption(each);
	return command.action(async (shard: number, which: TargetOptions) => {
		const { client } = await target(which, 'respawn');
		const { workerId, shardIds, node } = await client.respawn(shard);
		printErr(`worker ${workerId} (${describeShards(shardIds)}) is ready again${node === undefined ? '' : ` on node ${node}`}\n`);
	});
}
