// discord-hybrid-sharding, used as its README shows.
import { createRequire } from 'node:module';
import { ClusterManager } from 'discord-hybrid-sharding';

export const title = `discord-hybrid-sharding ${createRequire(import.meta.url)('discord-hybrid-sharding/package.json').version}`;

/** The call in its README; the delay is then 7 s for each shard. */
const recommended = { timeout: -1 };

/** @param {import('./contender.mjs').FleetOptions} options */
export function start({ bot, shards, shardsPerWorker, token, spawnDelayMs }) {
	const manager = new ClusterManager(bot, { totalShards: shards, shardsPerClusters: shardsPerWorker, mode: 'process', token });
	const ready = new Promise((resolve) => {
		let left = Math.ceil(shards / shardsPerWorker);
		manager.on('clusterReady', () => --left === 0 && resolve());
	});
	const spawned = manager.spawn(spawnDelayMs === undefined ? recommended : { delay: spawnDelayMs, timeout: -1 });
	return {
		ready: Promise.race([spawned.then(() => ready), ready]),
		pids: () => [...manager.clusters.values()].map(({ thread }) => thread?.process?.pid).filter(Boolean),
		broadcastEval: (script, context) => manager.broadcastEval(script, { context }),
		fetchClientValues: (path) => manager.fetchClientValues(path),
		call: (value) => Promise.all([...manager.clusters.values()].map(async (cluster) => (await cluster.request({ value })).value)),
		kill(index) {
			const cluster = manager.clusters.get(index);
			const readyAgain = new Promise((resolve) => cluster.once('ready', resolve));
			cluster.thread.process.kill('SIGKILL');
			return readyAgain;
		},
		stop() {
			manager.respawn = false;
			for (const cluster of manager.clusters.values()) cluster.thread?.process?.kill('SIGKILL');
		},
	};
}
