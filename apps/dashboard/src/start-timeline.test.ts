import type { ManagerStats, ShardStats } from '@shardctl/core';
import { expect, it } from 'vitest';
import { startTimeline, windowMs } from './start-timeline.ts';

const startedAt = 1_000_000;

function starting(statuses: readonly [ShardStats['status'], since?: number][], maxConcurrency = 1): ManagerStats {
	const shards = statuses.map(([status, since = null], shardId) => ({ shardId, status, since }));
	return { manager: { startedAt, identify: { maxConcurrency } }, shards } as unknown as ManagerStats;
}

it('shows in which window each shard was identified, and estimates the windows to come', () => {
	const nowMs = startedAt + 11_000;
	const stats = starting([['ready', startedAt + 2000], ['ready', startedAt + 7000], ['identifying'], ['waiting'], ['booting']]);
	expect(startTimeline(stats, nowMs)).toEqual({
		windows: [
			{ at: startedAt, state: 'ready', shardIds: [0] },
			{ at: startedAt + windowMs, state: 'ready', shardIds: [1] },
			{ at: nowMs, state: 'identifying', shardIds: [2] },
			{ at: nowMs + windowMs, state: 'waiting', shardIds: [3] },
			{ at: nowMs + 2 * windowMs, state: 'waiting', shardIds: [4] },
		],
		waiting: [3, 4],
		lastTurnAt: nowMs + 2 * windowMs,
	});
});

it('gives one turn in a window to each bucket of max_concurrency', () => {
	const { windows, lastTurnAt } = startTimeline(
		starting(
			Array.from({ length: 40 }, () => ['waiting'] as const),
			16,
		),
		startedAt,
	);
	expect(windows.map(({ shardIds }) => shardIds.length)).toEqual([16, 16, 8]);
	expect(lastTurnAt).toBe(startedAt + 3 * windowMs);
});

it('has no last turn when no shard waits', () => {
	expect(startTimeline(starting([['ready', startedAt]]), startedAt)).toMatchObject({ waiting: [], lastTurnAt: null });
});
