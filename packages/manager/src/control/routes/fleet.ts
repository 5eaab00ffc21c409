// Routes that look at the fleet and act on it as a whole or by shard.
import { formatShardIds, ShardctlError } from '@shardctl/core';
import { z } from 'zod';
import type { ShardManager } from '../../shard-manager.js';
import type { ManagedWorker } from '../../workers/managed-worker.js';
import { route } from '../route.js';
import { flag, health, managerStats, shardId, wholeNumber } from '../schemas.js';

export const healthRoute = route({
	summary: 'Whether the manager is there, and how many of its shards are ready.',
	input: z.strictObject({}),
	output: health,
	async run(_input, { manager, feed }) {
		const { manager: about, shards } = await manager.getStats();
		const { name, pid, version, status, uptimeMs, workers } = about;
		const readyShards = shards.filter(({ ready }) => ready).length;
		return { name, pid, version, status, uptimeMs, workers, shards: shards.length, readyShards, readers: feed.readers };
	},
});

const shortestIntervalMs = 250;

export const statsRoute = route({
	summary: 'The manager and every shard of it. With follow=true: again and again.',
	input: z.strictObject({
		fresh: flag.optional().describe('ask the workers now instead of answering what they said last'),
		follow: flag.optional().describe('stream figures as server-sent events'),
		intervalMs: wholeNumber(shortestIntervalMs).optional().describe('how often, when following (default 1000)'),
	}),
	output: managerStats,
	run: ({ fresh = false }, { manager }) => manager.getStats({ fresh }),
	follow: {
		item: managerStats,
		open: ({ intervalMs = 1000 }, stream, { feed, signal }) => feed.followStats(stream, { intervalMs }, signal),
	},
});

export const stopRoute = route({
	summary: 'Stops the fleet; answers when every worker is gone and the name is free.',
	input: z.strictObject({
		graceMs: wholeNumber(0).optional().describe('how long workers have (default: as the manager was set)'),
	}),
	output: z.object({ stopped: z.literal(true) }),
	async run({ graceMs }, { manager, drained }) {
		void manager.stop(graceMs === undefined ? {} : { graceMs });
		await drained;
		return { stopped: true as const };
	},
});

export const respawnRoute = route({
	summary: 'Replaces the worker that owns a shard; answers once it is ready again.',
	input: z.strictObject({ shardId }),
	output: z.object({ shardId: z.int(), workerId: z.int(), shardIds: z.array(z.int()).readonly() }),
	async run({ shardId: wanted }, { manager }) {
		const worker = workerOfShard(manager, wanted);
		await replaced(worker, manager.respawnShard(wanted));
		return { shardId: wanted, workerId: worker.id, shardIds: worker.shardIds };
	},
});

export const restartRoute = route({
	summary: 'Replaces all workers, or one; answers once what it concerns is ready again.',
	input: z.strictObject({
		shard: shardId.optional().describe('only the worker that owns this shard'),
		worker: wholeNumber(0, 'a worker id').optional().describe('only this worker'),
		gateways: flag.optional().describe('the gateway processes instead of workers, one after another'),
		rolling: flag.optional().describe('one after another, so that the rest serves on (default: all at once)'),
		parallel: wholeNumber(1).optional().describe('how many at once when rolling (default 1)'),
		delayMs: wholeNumber(0).optional().describe('pause between two when rolling (default 0)'),
	}),
	output: z.object({ workers: z.array(z.int()), tookMs: z.number() }),
	async run({ shard, worker: workerId, gateways = false, rolling = false, parallel = 1, delayMs = 0 }, { manager }) {
		if (shard !== undefined && workerId !== undefined) {
			throw new ShardctlError('OPTIONS_INVALID', 'a restart is of a shard or of a worker, not both');
		}
		const startedAt = performance.now();
		if (gateways) {
			await manager.restartGateways();
			return { workers: [], tookMs: Math.round(performance.now() - startedAt) };
		}
		const one =
			shard !== undefined ? workerOfShard(manager, shard) : workerId === undefined ? undefined : workerById(manager, workerId);
		if (one) await replaced(one, manager.replace(one, 'restart requested'));
		else {
			needWorkers(manager);
			await manager.respawnAll({ rolling, parallel, delayMs });
		}
		return {
			workers: one ? [one.id] : manager.workers.map(({ id }) => id),
			tookMs: Math.round(performance.now() - startedAt),
		};
	},
});

export const deployRoute = route({
	summary: 'Resident mode: replaces every worker without a gap; answers once the new ones are ready, or after a rollback.',
	input: z.strictObject({ parallel: wholeNumber(1).optional().describe('how many at once (default 1)') }),
	output: z.object({ workers: z.array(z.int()), tookMs: z.number() }),
	async run({ parallel = 1 }, { manager }) {
		const startedAt = performance.now();
		if (manager.status === 'starting') needWorkers(manager);
		await manager.deploy({ parallel });
		return { workers: manager.workers.map(({ id }) => id), tookMs: Math.round(performance.now() - startedAt) };
	},
});

function needWorkers({ workers }: ShardManager): void {
	if (workers.length > 0) return;
	throw new ShardctlError('WORKER_UNAVAILABLE', 'the fleet has no workers yet: it is coming up, see "shardctl events -f"');
}

/** The worker that owns a shard, or `SHARD_NOT_OWNED` with the shards that there are. */
export function workerOfShard(manager: ShardManager, wanted: number): ManagedWorker {
	const worker = manager.workers.find(({ shardIds }) => shardIds.includes(wanted));
	if (worker) return worker;
	const owned = formatShardIds(manager.workers.flatMap(({ shardIds }) => shardIds));
	throw new ShardctlError(
		'SHARD_NOT_OWNED',
		`there is no shard ${wanted} here: this manager runs ${owned === '' ? 'none yet' : `shards ${owned} of ${manager.totalShards}`}`,
		{ details: { shardId: wanted } },
	);
}

function workerById(manager: ShardManager, wanted: number): ManagedWorker {
	const worker = manager.workers[wanted];
	if (worker) return worker;
	const last = manager.workers.length - 1;
	throw new ShardctlError(
		'WORKER_UNAVAILABLE',
		`there is no worker ${wanted}: ${last < 0 ? 'this manager has none yet' : `their ids are 0 to ${last}`}`,
		{ details: { workerId: wanted } },
	);
}

async function replaced(worker: ManagedWorker, restart: Promise<boolean>): Promise<void> {
	if (await restart) return;
	throw new ShardctlError(
		'WORKER_NOT_READY',
		`${worker.label} did not become ready again: ${worker.child.lastExit?.message ?? `it is ${worker.child.state}`}`,
		{ details: { workerId: worker.id, shardIds: worker.shardIds } },
	);
}
