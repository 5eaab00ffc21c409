// What getShardStats and the control API answer: one entry per shard, put together from what is already known.
import type { GatewayProcessStats, ShardStats } from '@shardctl/core';
import type { ManagedWorker } from './managed-worker.js';

/** The entries of one worker's shards. */
export function workerShardStats(worker: ManagedWorker, nowMs: number): ShardStats[] {
	const { child, sample, shardIds } = worker;
	const { lastExit } = child;
	return shardIds.map((shardId) => {
		const shard = sample?.shards.find((entry) => entry.shardId === shardId);
		const status = worker.status(shardId);
		return {
			shardId,
			workerId: worker.id,
			pid: child.pid,
			status,
			ready: status === 'ready',
			guildCount: shard?.guildCount ?? 0,
			userCount: shard?.userCount ?? 0,
			ping: shard?.ping ?? null,
			memoryMb: sample ? round(sample.rssBytes / 2 ** 20 / shardIds.length) : null,
			cpuPercent: sample ? round(sample.cpuPercent / shardIds.length) : null,
			loopDelayMs: sample?.loopDelayP99Ms ?? null,
			uptimeMs: child.pid === null || child.startedAt === null ? 0 : Math.max(0, nowMs - child.startedAt),
			restarts: child.restarts,
			lastExit: lastExit ? { reason: lastExit.reason, message: lastExit.message, at: lastExit.at } : null,
		};
	});
}

/** Whether a session that this gateway process holds is cut off from Discord. One that nobody has asked for yet is not. */
export function hasLostSessions({ sessions }: GatewayProcessStats): boolean {
	return sessions.some(({ status }) => status !== 'ready' && status !== 'idle');
}

function round(value: number): number {
	return Math.round(value * 10) / 10;
}
