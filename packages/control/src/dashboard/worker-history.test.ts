import type { ManagerStats } from '@shardctl/core';
import { expect, it } from 'vitest';
import { WorkerHistories } from './worker-history.js';

const megabyte = 2 ** 20;

type Figures = Pick<ManagerStats, 'workers' | 'shards'>;

/** Workers of two shards each. */
function figures(ids: readonly number[], { megabytes = 80, cpu = 1.5, delay = 4 } = {}): Figures {
	return {
		workers: ids.map((id) => ({ id, rssBytes: megabytes * megabyte })),
		shards: ids.flatMap((id) =>
			[0, 1].map((index) => ({ shardId: 2 * id + index, workerId: id, cpuPercent: cpu, loopDelayMs: delay })),
		),
	} as unknown as Figures;
}

it('keeps the figures of a worker: what its shards share is added up, what they have in common is not', () => {
	const history = new WorkerHistories();
	history.add(1000, figures([0, 3]));
	history.add(6000, figures([3], { megabytes: 90, cpu: 20.04, delay: 70 }));
	expect(history.read(3, 'hour')).toEqual({
		at: [1000, 6000],
		memoryBytes: [80 * megabyte, 90 * megabyte],
		cpuPercent: [3, 40.1],
		loopDelayMs: [4, 70],
	});
	// Nothing is known of a worker while it is not there, nor of one that never was.
	expect(history.read(0, 'hour')).toMatchObject({ at: [1000, 6000], memoryBytes: [80 * megabyte, null], loopDelayMs: [4, null] });
	expect(history.read(7, 'hour')).toEqual({ at: [], memoryBytes: [], cpuPercent: [], loopDelayMs: [] });
});

it('makes one point of each minute, in which the worst moment of memory and delay counts', () => {
	const history = new WorkerHistories();
	for (let i = 0; i < 24; i++) history.add(i, figures([0], { megabytes: 10 + i, cpu: i % 2 === 0 ? 1 : 2, delay: i }));
	expect(history.read(0, 'day')).toEqual({
		at: [11, 23],
		memoryBytes: [21 * megabyte, 33 * megabyte],
		cpuPercent: [3, 3],
		loopDelayMs: [11, 23],
	});
});

it('keeps an hour at 5 s and a day of minutes', () => {
	const history = new WorkerHistories();
	for (let at = 1; at <= 12 * 1450; at++) history.add(at, figures([0]));
	const [hour, day] = [history.read(0, 'hour').at, history.read(0, 'day').at];
	expect([hour.length, hour[0], hour.at(-1)]).toEqual([720, 12 * 1450 - 719, 12 * 1450]);
	expect([day.length, day[0], day.at(-1)]).toEqual([1440, 12 * 11, 12 * 1450]);
});

it('shows a value that is too large as the largest that it can keep', () => {
	const history = new WorkerHistories();
	history.add(1, figures([0], { megabytes: 100_000, delay: 80_000 }));
	expect(history.read(0, 'hour')).toMatchObject({ memoryBytes: [65_534 * megabyte], loopDelayMs: [65_534] });
});

it('takes 13 MB for 1,000 workers however long they run, and never more than 16 MB', () => {
	const history = new WorkerHistories();
	const ids = (count: number) => Array.from({ length: count }, (_, id) => id);
	for (let at = 0; at < 12; at++) history.add(at, figures(ids(1000)));
	const perWorker = 3 * (720 + 1440) * 2;
	expect(history.bytes).toBe(1000 * perWorker);
	for (let at = 12; at < 120; at++) history.add(at, figures(ids(1000)));
	expect(history.bytes).toBe(1000 * perWorker);
	for (let at = 120; at < 132; at++) history.add(at, figures(ids(2000)));
	expect(history.bytes).toBe(1200 * perWorker);
	expect(history.bytes).toBeLessThan(16e6);
	// The first ones keep theirs.
	expect(history.read(999, 'hour').at).toHaveLength(132);
	expect(history.read(1999, 'hour').at).toEqual([]);
});

it('forgets a worker of which nothing is known any more', () => {
	const history = new WorkerHistories();
	history.add(0, figures([0, 1]));
	const before = history.bytes;
	for (let at = 1; at < 3 * 720; at++) history.add(at, figures([0]));
	expect(history.read(1, 'hour').at).toEqual([]);
	expect(history.bytes).toBeLessThan(before + 1440 * 3 * 2 * 2);
	expect(history.read(0, 'hour').at).toHaveLength(720);
});
