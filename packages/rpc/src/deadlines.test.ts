import { fakeClock } from '@shardctl/test-support';
import { describe, expect, it } from 'vitest';
import { type Deadline, deadlinesOf } from './deadlines.js';

const notSet = { dueAt: 0, lane: undefined, previous: undefined, next: undefined };

function deadlinesUnderTest() {
	const clock = fakeClock();
	const deadlines = deadlinesOf(clock);
	const expired: [name: number, atMs: number][] = [];
	let last = 0;
	const add = (timeoutMs: number): Deadline => {
		const name = ++last;
		const deadline: Deadline = { ...notSet, timeoutMs, expire: () => expired.push([name, clock.monotonic()]) };
		deadlines.add(deadline);
		return deadline;
	};
	return { deadlines, clock, expired, add };
}

describe('deadlines', () => {
	it('expire each at its own time, in whatever order they were set', async () => {
		const { clock, expired, add } = deadlinesUnderTest();
		for (const timeoutMs of [300, 100, 200, 100]) add(timeoutMs);
		await clock.advance(50);
		add(60);
		await clock.advance(1000);
		expect(expired).toEqual([
			[2, 100],
			[4, 100],
			[5, 110],
			[3, 200],
			[1, 300],
		]);
		expect(clock.pendingTimers()).toBe(0);
	});

	it('of one length need one timer, and none when the last is removed', () => {
		const { deadlines, clock, add } = deadlinesUnderTest();
		const all = [300, 100, 300, 300, 100].map((timeoutMs) => add(timeoutMs));
		expect(deadlinesOf(clock)).toBe(deadlines);
		expect(clock.pendingTimers()).toBe(2);
		for (const deadline of all) deadlines.remove(deadline);
		expect(clock.pendingTimers()).toBe(0);
	});

	it.each([
		['the oldest', 0, [2, 3]],
		['one in between', 1, [1, 3]],
		['the newest', 2, [1, 2]],
	])('expire without %s, which was removed, maybe twice, and others may follow', async (_which, index, left) => {
		const { deadlines, clock, expired, add } = deadlinesUnderTest();
		const removed = [add(100), add(100), add(100)][index] as Deadline;
		deadlines.remove(removed);
		deadlines.remove(removed);
		add(100);
		await clock.advance(100);
		expect(expired.map(([name]) => name)).toEqual([...left, 4]);
		expect(clock.pendingTimers()).toBe(0);
	});

	it('outlive an older one', async () => {
		const { deadlines, clock, expired, add } = deadlinesUnderTest();
		const first = add(100);
		await clock.advance(40);
		add(100);
		deadlines.remove(first);
		await clock.advance(100);
		expect(expired).toEqual([[2, 140]]);
		expect(clock.pendingTimers()).toBe(0);
	});

	it('expire also when a callback removes others, or sets new ones', async () => {
		const { deadlines, clock, expired, add } = deadlinesUnderTest();
		const second: Deadline = { ...notSet, timeoutMs: 100, expire: () => expired.push([2, clock.monotonic()]) };
		const first: Deadline = {
			...notSet,
			timeoutMs: 100,
			expire() {
				deadlines.remove(second);
				add(100);
			},
		};
		deadlines.add(first);
		deadlines.add(second);
		await clock.advance(1000);
		expect(expired).toEqual([[1, 200]]);
		expect(clock.pendingTimers()).toBe(0);
	});

	it.each([0, Number.POSITIVE_INFINITY])('of %d ms never expire', async (timeoutMs) => {
		const { clock, expired, add } = deadlinesUnderTest();
		add(timeoutMs);
		expect(clock.pendingTimers()).toBe(0);
		await clock.advance(10_000_000);
		expect(expired).toEqual([]);
	});

	it('may be later than a timer can be set', async () => {
		const { clock, expired, add } = deadlinesUnderTest();
		const monthMs = 31 * 24 * 3_600_000;
		add(monthMs);
		await clock.advance(monthMs - 1);
		expect(expired).toEqual([]);
		await clock.advance(1);
		expect(expired).toEqual([[1, monthMs]]);
	});
});
