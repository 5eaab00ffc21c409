import { fakeClock } from '@shardctl/test-support';
import { describe, expect, it } from 'vitest';
import { every, sleep } from './clock.js';

describe('sleep', () => {
	it('ends after its time, by the clock it was given', async () => {
		const clock = fakeClock();
		let done = false;
		const sleeping = sleep(clock, 1000).then(() => {
			done = true;
		});
		await clock.advance(999);
		expect(done).toBe(false);
		await clock.advance(1);
		await sleeping;
		expect(done).toBe(true);
	});

	it('rejects with the reason of an abort and leaves no timer', async () => {
		const clock = fakeClock();
		const abort = new AbortController();
		const sleeping = sleep(clock, 1000, abort.signal);
		abort.abort(new Error('enough'));
		await expect(sleeping).rejects.toThrow('enough');
		expect(clock.pendingTimers()).toBe(0);
		await expect(sleep(clock, 1, abort.signal)).rejects.toThrow('enough');
	});
});

describe('every', () => {
	it('acts at each interval, and no more once it is stopped', async () => {
		const clock = fakeClock();
		const at: number[] = [];
		const stop = every(clock, 100, () => at.push(clock.monotonic()));
		await clock.advance(350);
		expect(at).toEqual([100, 200, 300]);
		stop();
		await clock.advance(1000);
		expect(at).toHaveLength(3);
		expect(clock.pendingTimers()).toBe(0);
	});

	it('can be stopped by what it calls', async () => {
		const clock = fakeClock();
		let calls = 0;
		const stop = every(clock, 100, () => {
			if (++calls === 2) stop();
		});
		await clock.advance(1000);
		expect(calls).toBe(2);
		expect(clock.pendingTimers()).toBe(0);
	});
});
