// shardctl, with its defaults.
import { pino } from 'pino';
import { createShardManager } from 'shardctl';

export const title = 'shardctl';

/** @param {import('./contender.mjs').FleetOptions} options */
export function start({ bot, shards, shardsPerWorker, api, token, identifyWindowMs }) {
	const manager = createShardManager(bot, {
		totalShards: shards,
		shardsPerWorker,
		api,
		token,
		identifyWindowMs,
		name: `bench-${process.pid}`,
		logger: pino({ level: 'silent' }),
		silent: true,
	});
	return {
		ready: manager.spawn(),
		pids: () => manager.workers.map(({ child }) => child.pid).filter((pid) => pid !== null),
		broadcastEval: (script, context) => manager.broadcastEval(script, { context }),
		fetchClientValues: (path) => manager.fetchClientValues(path),
		call: (value) => manager.call('echo', [value]),
		kill(index) {
			const worker = manager.workers[index];
			const readyAgain = new Promise((resolve) => worker.child.once('ready', resolve));
			process.kill(worker.child.pid, 'SIGKILL');
			return readyAgain;
		},
		stop: () => manager.stop({ graceMs: 500 }),
	};
}
