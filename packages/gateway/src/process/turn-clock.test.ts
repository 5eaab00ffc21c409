import { setImmediate } from 'node:timers/promises';
import type { Clock } from '@shardctl/core';
import { expect, it } from 'vitest';
import { turnClock } from './turn-clock.js';

it('reads the time once in each turn of the event loop', async () => {
	let time = 0;
	const read = () => ++time;
	const none = () => ({});
	const clock: Clock = turnClock({ now: read, monotonic: read, setTimeout: none, clearTimeout: none });
	expect([clock.now(), clock.now(), clock.monotonic(), clock.monotonic()]).toEqual([1, 1, 2, 2]);
	await setImmediate();
	expect([clock.monotonic(), clock.now(), clock.monotonic()]).toEqual([3, 4, 3]);
	await setImmediate();
	expect(clock.now()).toBe(5);
});

it('sets and clears the timers of the clock', () => {
	const calls: unknown[] = [];
	const timer = {};
	const clock = turnClock({
		now: () => 0,
		monotonic: () => 0,
		setTimeout: (callback, delayMs) => {
			calls.push(delayMs);
			callback();
			return timer;
		},
		clearTimeout: (cleared) => void calls.push(cleared),
	});
	clock.clearTimeout(clock.setTimeout(() => calls.push('called'), 5));
	expect(calls).toEqual([5, 'called', timer]);
});
