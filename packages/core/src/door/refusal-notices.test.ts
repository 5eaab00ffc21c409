import { fakeClock } from '@shardctl/test-support';
import { expect, it } from 'vitest';
import { RefusalNotices } from './refusal-notices.js';

it('finding 11: reports the first refusal at once, and the next 2,000 in one report', async () => {
	const clock = fakeClock();
	const reports: string[] = [];
	const notices = new RefusalNotices(clock, (message) => reports.push(message));
	for (let n = 0; n < 2001; n++) notices.note(`refused ${n}`);
	expect(reports).toEqual(['refused 0']);
	await clock.advance(10_000);
	expect(reports.slice(1)).toEqual(['refused 2000 (the last of 2000 refusals in 10 s)']);
	notices.note('refused again');
	await clock.advance(10_000);
	expect(reports.slice(2)).toEqual(['refused again']);
	// Nothing is left to report, so no timer is left.
	await clock.advance(10_000);
	expect(clock.pendingTimers()).toBe(0);
	notices.note('much later');
	expect(reports.slice(3)).toEqual(['much later']);
	notices.stop();
	expect(clock.pendingTimers()).toBe(0);
});
