import type { Clock } from '@shardctl/core';
import { fakeClock } from '@shardctl/test-support';
import { describe, expect, it } from 'vitest';
import { FairDeadline } from './fair-deadline.js';

/** A clock whose timers fire only on the test's request, however late: the event loop of this process, blocked. */
function steppedClock() {
	const waiting: { callback: () => void; delayMs: number }[] = [];
	const clock: Clock = {
		now: () => 0,
		monotonic: () => 0,
		setTimeout: (callback, delayMs) => {
			const timer = { callback, delayMs };
			waiting.push(timer);
			return timer;
		},
		clearTimeout: (timer) => {
			const index = waiting.indexOf(timer as (typeof waiting)[number]);
			if (index !== -1) waiting.splice(index, 1);
		},
	};
	return { clock, waiting, fire: () => waiting.shift()?.callback() };
}

describe('FairDeadline', () => {
	it('expires after its time, and not before', async () => {
		const clock = fakeClock();
		let passed = 0;
		new FairDeadline(clock, 1000, () => passed++);
		await clock.advance(1000);
		expect(passed).toBe(0);
		await clock.advance(1);
		expect(passed).toBe(1);
		expect(clock.pendingTimers()).toBe(0);
	});

	it('leaves no timer when it is cleared, in any step', async () => {
		const clock = fakeClock();
		let passed = 0;
		for (const afterMs of [0, 50, 999]) {
			const deadline = new FairDeadline(clock, 1000, () => passed++);
			await clock.advance(afterMs);
			deadline.clear();
			expect(clock.pendingTimers()).toBe(0);
		}
		await clock.advance(10_000);
		expect(passed).toBe(0);
	});

	it('counts one late timer as one step only, however late it is', () => {
		const { clock, waiting, fire } = steppedClock();
		let passed = 0;
		new FairDeadline(clock, 1000, () => passed++);
		// The machine sleeps for an hour: on waking, the one timer that was set fires, and nine tenths are still to come.
		fire();
		expect(passed).toBe(0);
		expect(waiting.map(({ delayMs }) => delayMs)).toEqual([100]);
	});

	it('allows one more turn of the event loop before it expires, in which an unread response is read', () => {
		const { clock, waiting, fire } = steppedClock();
		let passed = 0;
		const deadline = new FairDeadline(clock, 1000, () => passed++);
		for (let step = 0; step < 10; step++) fire();
		expect({ passed, left: waiting.map(({ delayMs }) => delayMs) }).toEqual({ passed: 0, left: [1] });
		deadline.clear();
		expect(waiting).toEqual([]);
	});
});
