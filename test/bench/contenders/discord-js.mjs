// discord.js's own ShardingManager, used as its guide shows: one process per shard.
import { ShardingManager, version } from 'discord.js';

export const title = `discord.js ${version}`;

/** Its documented defaults: 5.5 s between two shards, and each is waited for. */
const recommended = {};

/** @param {import('./contender.mjs').FleetOptions} options */
export function start({ bot, shards, token, spawnDelayMs }) {
	const manager = new ShardingManager(bot, { totalShards: shards, token });
	// The guide adds no listener; without this one a shard that exits during its start ends the manager's process.
	manager.on('shardCreate', (shard) => shard.on('error', () => {}));
	const allReady = new Promise((resolve) => {
		let left = shards;
		manager.on('shardCreate', (shard) => shard.once('ready', () => --left === 0 && resolve()));
	});
	// Its fastest setting: start the next without waiting for the last.
	const spawned = manager.spawn(spawnDelayMs === undefined ? recommended : { delay: spawnDelayMs, timeout: -1 });
	return {
		ready: Promise.race([spawned.then(() => allReady), allReady]),
		pids: () => manager.shards.map(({ process }) => process?.pid).filter(Boolean),
		broadcastEval: (script, context) => manager.broadcastEval(script, { context }),
		fetchClientValues: (path) => manager.fetchClientValues(path),
		kill(index) {
			const shard = manager.shards.get(index);
			const readyAgain = new Promise((resolve) => shard.once('ready', resolve));
			shard.process.kill('SIGKILL');
			return readyAgain;
		},
		stop() {
			manager.respawn = false;
			for (const shard of manager.shards.values()) if (shard.process) shard.kill();
		},
	};
}
