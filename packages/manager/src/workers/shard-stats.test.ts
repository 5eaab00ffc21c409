import type { WorkerSample } from '@shardctl/core';
import { describe, expect, it } from 'vitest';
import type { ManagedWorker } from './managed-worker.js';
import { workerShardStats, workerStats } from './shard-stats.js';

const sample: WorkerSample = {
	shards: [{ shardId: 4, guildCount: 7, userCount: 70, ping: 33 }],
	rssBytes: 100 * 2 ** 20,
	heapUsedBytes: 1,
	cpuPercent: 5,
	cpuSeconds: 2,
	loopDelayP99Ms: 1.5,
	uptimeMs: 1,
};

function worker(parts: { sample?: WorkerSample; child?: object } = {}): ManagedWorker {
	return {
		id: 2,
		shardIds: [4, 5],
		sample: parts.sample,
		status: (shardId: number) => (shardId === 4 ? 'ready' : 'waiting'),
		statusSince: () => 31_000,
		closeCode: () => 4000,
		child: { pid: 77, startedAt: 1000, restarts: 3, lastExit: null, ...parts.child },
	} as unknown as ManagedWorker;
}

describe('workerShardStats', () => {
	it("divides a worker's memory and processor time over its shards, and knows only the sampled shards", () => {
		expect(workerShardStats(worker({ sample }), 61_000)).toMatchObject([
			{
				shardId: 4,
				workerId: 2,
				pid: 77,
				status: 'ready',
				since: 31_000,
				closeCode: 4000,
				ready: true,
				guildCount: 7,
				userCount: 70,
				ping: 33,
				memoryMb: 50,
				cpuPercent: 2.5,
				loopDelayMs: 1.5,
				uptimeMs: 60_000,
				restarts: 3,
				lastExit: null,
			},
			{ shardId: 5, status: 'waiting', ready: false, guildCount: 0, userCount: 0, ping: null, memoryMb: 50 },
		]);
	});

	it('has no figures before the first sample, and no uptime without a process', () => {
		const lastExit = { reason: 'hung', message: 'it hung', at: 5, code: 1 };
		const gone = worker({ child: { pid: null, startedAt: 1000, lastExit } });
		expect(workerShardStats(gone, 61_000)[0]).toMatchObject({
			pid: null,
			guildCount: 0,
			ping: null,
			memoryMb: null,
			cpuPercent: null,
			loopDelayMs: null,
			uptimeMs: 0,
			lastExit: { reason: 'hung', message: 'it hung', at: 5 },
		});
	});
});

describe('workerStats', () => {
	const heartbeat = { intervalMs: 5000, timeoutMs: 30_000 };
	const child = { state: 'backing-off', since: 9, tries: 2, failingSince: 3, nextTryAt: 99, lastAnswerAt: 7 };

	it('B8: reports since when a worker is down, its attempts, and the next attempt', () => {
		expect(workerStats(worker({ sample, child: { ...child, pid: null } }), { heartbeat, maxMemoryBytes: 220 })).toEqual({
			id: 2,
			shardIds: [4, 5],
			...child,
			heartbeat,
			pid: null,
			restarts: 3,
			lastExit: null,
			rssBytes: null,
			memoryLimitBytes: 220,
		});
	});

	it('B9: reports the memory of the whole process, and no limit and no heartbeats when they are off', () => {
		const off = {
			heartbeat: { intervalMs: 5000, timeoutMs: Number.POSITIVE_INFINITY },
			maxMemoryBytes: Number.POSITIVE_INFINITY,
		};
		expect(workerStats(worker({ sample, child }), off)).toMatchObject({
			rssBytes: 100 * 2 ** 20,
			memoryLimitBytes: null,
			heartbeat: { intervalMs: 0, timeoutMs: 0 },
		});
	});
});
