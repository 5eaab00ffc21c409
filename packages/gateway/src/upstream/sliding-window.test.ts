import fc from 'fast-check';
import { expect, it } from 'vitest';
import { SlidingWindow } from './sliding-window.js';

it('never allows more than the limit in any interval', () => {
	const pauses = fc.array(fc.nat(40), { minLength: 1, maxLength: 200 });
	fc.assert(
		fc.property(pauses, fc.integer({ min: 1, max: 8 }), (gaps, limit) => {
			const window = new SlidingWindow({ limit, windowMs: 100 });
			const times: number[] = [];
			let now = 0;
			for (const gap of gaps) {
				now += gap + window.waitMs(now + gap);
				expect(window.waitMs(now)).toBe(0);
				window.note(now);
				times.push(now);
			}
			for (const start of times) expect(times.filter((at) => at >= start && at < start + 100).length).toBeLessThanOrEqual(limit);
		}),
	);
});

it('starts over when cleared', () => {
	const window = new SlidingWindow({ limit: 1, windowMs: 100 });
	window.note(0);
	expect(window.waitMs(30)).toBe(70);
	window.clear();
	expect(window.waitMs(30)).toBe(0);
});
