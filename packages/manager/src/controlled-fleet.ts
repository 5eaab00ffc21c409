// A manager as the control API sees it: the implementation of `Fleet` for the workers of one machine.
import type { LogEntry, ServedFleet, WorkerView } from '@shardctl/control';
import { type Clock, guardListener } from '@shardctl/core';
import type { Logger } from 'pino';
import type { DeployOptions } from './deploy/deploy-options.js';
import type { ShardManagerEvents } from './events.js';
import { recordFleetEvents } from './fleet-events.js';
import type { ShardManager } from './shard-manager.js';
import type { ManagedWorker } from './workers/managed-worker.js';

/** The fleet that a manager runs, for its control API. */
export function controlledFleet(manager: ShardManager, clock: Clock, logger: Pick<Logger, 'error'>): ServedFleet {
	const report = (error: unknown) => logger.error({ err: error }, 'the control API failed on an event; please report this');
	/** In a cluster: where it is. */
	const place = () => (manager.cluster ? { node: manager.cluster.node } : {});
	return {
		get cluster() {
			return manager.cluster ?? undefined;
		},
		name: manager.name,
		version: manager.version,
		get totalShards() {
			return manager.totalShards;
		},
		getStats: (options) => manager.localStats(options),
		getWorkers: async () => manager.workers.map(workerView),
		recentLogs: async ({ shard }) =>
			manager.workers
				.filter(({ shardIds }) => shard === undefined || shardIds.includes(shard))
				.flatMap(recentLines)
				.map((entry) => ({ ...entry, ...place() }))
				.sort((a, b) => a.at - b.at),
		// The control API is a reader: what it fails on is no reason for the fleet to end.
		onEvent: (listener) => recordFleetEvents(manager, guardListener(listener, report)),
		onLog: (listener) =>
			manager.on(
				'worker:log',
				guardListener((line: ShardManagerEvents['worker:log'][0]) => listener({ at: clock.now(), ...line, ...place() }), report),
			),
		broadcastEval: (script, options) => manager.localCalls.broadcastEval(script, options),
		fetchClientValues: (path, options) => manager.localCalls.fetchClientValues(path, options),
		call: (name, args, options) => manager.localCalls.call(name, args, options),
		replaceWorker: async (workerId, reason) => {
			const worker = manager.workers.find(({ id }) => id === workerId);
			if (!worker) return false;
			await manager.replaceOrReject(worker, reason);
			return true;
		},
		respawnAll: (options) => manager.localRespawnAll(options),
		startDeploy: async (options) => manager.localDeploy(options as DeployOptions),
		waitForDeploy: (id) => manager.localDeployOutcome(id),
		cancelDeploy: async (id, options) => manager.localCancelDeploy(id, options),
		reshard: (request) => manager.localReshard(request),
		scale: (workers) => manager.localScale(workers),
		get queue() {
			return manager.queue ?? undefined;
		},
		restartGateways: () => manager.localRestartGateways(),
		restartRest: () => manager.localRestartRest(),
		stop: (options) => manager.stop(options),
	};
}

function workerView(worker: ManagedWorker): WorkerView {
	const { id, label, shardIds, sample, cpuSeconds, pendingCalls } = worker;
	const { state, pid, startedAt, restarts, leftOutLines, lastExit } = worker.child;
	return {
		id,
		label,
		shardIds,
		statuses: shardIds.map((shardId) => worker.status(shardId)),
		state,
		pid,
		startedAt,
		restarts,
		leftOutLines,
		lastExit,
		// What a dead process said last says nothing about the worker.
		sample: pid === null ? undefined : sample,
		cpuSeconds,
		pendingCalls,
	};
}

function recentLines({ id: workerId, shardIds, child }: ManagedWorker): LogEntry[] {
	return child.recentLogs().map(({ at, pid, stream, line }) => ({ at, workerId, shardIds, pid, stream, line }));
}
