// What getShardStats and the control API answer: one entry per shard, put together from what is already known.
import type { ShardStats, WorkerFacts, WorkerStats } from '@shardctl/core';
import type { ManagedWorker } from './managed-worker.js';

/** The entries of one worker's shards. */
export function workerShardStats(worker: ManagedWorker, nowMs: number): ShardStats[] {
	const { child, sample, shardIds } = worker;
	return shardIds.map((shardId) => {
		const shard = sample?.shards.find((entry) => entry.shardId === shardId);
		const status = worker.status(shardId);
		return {
			shardId,
			workerId: worker.id,
			pid: child.pid,
			status,
			since: worker.statusSince(shardId),
			ready: status === 'ready',
			guildCount: shard?.guildCount ?? 0,
			userCount: shard?.userCount ?? 0,
			ping: shard?.ping ?? null,
			memoryMb: sample ? round(sample.rssBytes / 2 ** 20 / shardIds.length) : null,
			cpuPercent: sample ? round(sample.cpuPercent / shardIds.length) : null,
			loopDelayMs: sample?.loopDelayP99Ms ?? null,
			uptimeMs: child.pid === null || child.startedAt === null ? 0 : Math.max(0, nowMs - child.startedAt),
			restarts: child.restarts,
			lastExit: exitOf(worker),
			closeCode: worker.closeCode(shardId),
		};
	});
}

/** One worker with its process. */
export function workerStats(
	worker: ManagedWorker,
	{ heartbeat, maxMemoryBytes }: { heartbeat: WorkerFacts['heartbeat']; maxMemoryBytes: number },
): WorkerStats {
	const { id, shardIds, child, sample } = worker;
	const { state, since, tries, failingSince, nextTryAt, lastAnswerAt, pid, restarts } = child;
	const hasBeats = heartbeat.timeoutMs > 0 && Number.isFinite(heartbeat.timeoutMs);
	return {
		id,
		shardIds,
		state,
		since,
		tries,
		failingSince,
		nextTryAt,
		lastAnswerAt,
		heartbeat: hasBeats ? heartbeat : { intervalMs: 0, timeoutMs: 0 },
		pid,
		restarts,
		lastExit: exitOf(worker),
		rssBytes: pid === null ? null : (sample?.rssBytes ?? null),
		memoryLimitBytes: maxMemoryBytes > 0 && Number.isFinite(maxMemoryBytes) ? maxMemoryBytes : null,
		...(pid !== null && sample?.queue ? { queue: sample.queue } : {}),
	};
}

function exitOf({ child: { lastExit } }: ManagedWorker): ShardStats['lastExit'] {
	return lastExit ? { reason: lastExit.reason, message: lastExit.message, at: lastExit.at } : null;
}

function round(value: number): number {
	return Math.round(value * 10) / 10;
}
