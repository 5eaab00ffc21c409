import { fakeClock } from '@shardctl/test-support';
import { describe, expect, it } from 'vitest';
import { sleep } from './clock.js';

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
