import { expect, it } from 'vitest';
import { ShardStats } from './shard-stats.js';

it('reports the events per second over the last ten seconds', () => {
	const figures = new ShardStats(500);
	const sample = (received: number) => {
		figures.counters.received = received;
		figures.sample();
	};
	expect(figures.eventsPerSecond).toBe(0);
	for (let half = 1; half <= 4; half++) sample(half * 50);
	expect(figures.eventsPerSecond).toBe(100);
	for (let half = 0; half < 10; half++) sample(200);
	expect(figures.eventsPerSecond).toBe(28.6);
	for (let half = 0; half < 20; half++) sample(200);
	expect(figures.eventsPerSecond).toBe(0);
});

it('keeps the longest wait for ten seconds', () => {
	const figures = new ShardStats(500);
	figures.noteWait(3);
	figures.noteWait(90.4);
	figures.noteWait(12);
	for (let half = 0; half < 19; half++) figures.sample();
	expect(figures.longestWaitMs).toBe(90);
	figures.noteWait(1);
	figures.sample();
	expect(figures.longestWaitMs).toBe(1);
});

it('B11: reports each loss once, and no typing that expired', () => {
	const figures = new ShardStats(500);
	expect(figures.takeLosses()).toBeUndefined();
	figures.counters.lost = 3;
	figures.counters.overflowed = 2;
	figures.counters.expired = 9;
	figures.expiredInteractions = 1;
	expect(figures.takeLosses()).toEqual({ 'worker-died': 3, 'buffer-full': 2, expired: 1 });
	figures.counters.lost = 4;
	figures.counters.poisoned = 1;
	expect(figures.takeLosses()).toEqual({ 'worker-died': 1, poisoned: 1 });
	expect(figures.takeLosses()).toBeUndefined();
});
