import { fakeClock } from '@shardctl/test-support';
import { expect, it } from 'vitest';
import { ErrorRate } from './error-rate.js';

it('exceeds the limit with one more error in a minute than allowed', async () => {
	const clock = fakeClock();
	const rate = new ErrorRate(2, clock);
	expect([rate.note(), rate.note(), rate.note()]).toEqual([false, false, true]);
});

it('ignores errors older than a minute', async () => {
	const clock = fakeClock();
	const rate = new ErrorRate(2, clock);
	rate.note();
	await clock.advance(30_000);
	rate.note();
	await clock.advance(30_000);
	expect(rate.note()).toBe(false);
	expect(rate.note()).toBe(true);
});

it('of zero allows none', () => {
	expect(new ErrorRate(0, fakeClock()).note()).toBe(true);
});
