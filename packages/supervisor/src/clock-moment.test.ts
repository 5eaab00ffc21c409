import { fakeClock } from '@shardctl/test-support';
import { expect, it } from 'vitest';
import { ClockMoment } from './clock-moment.js';

it.each([7_200_000, -7_200_000])('stays as long ago as it is when the clock is set by %d ms', async (jump) => {
	const clock = fakeClock();
	const start = clock.now();
	const moment = new ClockMoment(clock);
	await clock.advance(3000);
	expect(moment.at).toBe(start);
	clock.setNow(clock.now() + jump);
	expect(clock.now() - moment.at).toBe(3000);
});
