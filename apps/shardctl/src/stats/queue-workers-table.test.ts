import type { ManagerStats, WorkerStats } from '@shardctl/manager';
import { expect, it } from 'vitest';
import { queueWorkersTable } from './queue-workers-table.js';

const counters = { partitions: 16, inHand: 2, handled: 1234, redelivered: 3, expired: 0, missed: 0, dead: 1 };
const worker = (id: number, more: Partial<WorkerStats>) =>
	({ id, shardIds: [], state: 'ready', since: 1000, rssBytes: 50 * 2 ** 20, restarts: 0, pid: 7, ...more }) as WorkerStats;
const stats = (given: Partial<ManagerStats>) => ({ workers: [], shards: [], ...given }) as unknown as ManagerStats;
const size = { width: Number.POSITIVE_INFINITY, nowMs: 61_000 };

it('has a row for each worker of a queue, and none where workers have shards', () => {
	const queue = {
		connected: true,
		shards: 2,
		partitionsPerShard: 16,
		written: 0,
		writtenPerSecond: 0,
		deferred: 0,
		deferFailed: 0,
		groups: [],
	};
	const workers = [
		worker(0, { queue: { group: 'commands', ...counters } }),
		worker(1, { state: 'backing-off', pid: null, rssBytes: null, restarts: 4 }),
	];
	const lines = queueWorkersTable(stats({ queue, workers }), size).map((line) => line.trim().split(/ {2,}/));
	expect(lines).toEqual([
		[
			'WORKER',
			'STATUS',
			'GROUP',
			'PARTITIONS',
			'IN HAND',
			'HANDLED',
			'REDELIVERED',
			'MISSED',
			'DEAD',
			'MEMORY',
			'FOR',
			'RESTARTS',
			'PID',
		],
		['0', 'ready', 'commands', '16', '2', '1,234', '3', '0', '1', '50 MB', '1m', '0', '7'],
		['1', 'backing-off', '-', '-', '-', '-', '-', '-', '-', '-', '1m', '4', '-'],
	]);
	expect(queueWorkersTable(stats({ workers }), size)).toEqual([]);
});
