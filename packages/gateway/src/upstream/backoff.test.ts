import { fakeClock } from '@shardctl/test-support';
import { expect, it } from 'vitest';
import { Backoff } from './backoff.js';

const delays = (backoff: Backoff, count: number) => Array.from({ length: count }, () => backoff.nextDelayMs());

it('doubles the wait, up to 15 s', () => {
	const backoff = new Backoff(fakeClock(), () => 1);
	expect(delays(backoff, 9)).toEqual([0, 500, 1000, 2000, 4000, 8000, 15_000, 15_000, 15_000]);
});

it('starts over only after a connection that was ready for a while', async () => {
	const clock = fakeClock();
	const backoff = new Backoff(clock, () => 1);
	delays(backoff, 3);
	backoff.ready();
	await clock.advance(1000);
	backoff.closed();
	expect(backoff.nextDelayMs()).toBe(2000);
	backoff.ready();
	await clock.advance(60_000);
	backoff.closed();
	expect(backoff.nextDelayMs()).toBe(0);
});
