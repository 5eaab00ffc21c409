import { expect, it } from 'vitest';
import { ExpiredSummary } from './expired-summary.js';

/** Asks every half second; `expired` answers the count at a time. */
function told(expired: (ms: number) => number, forMs: number): [ms: number, count: number][] {
	const summary = new ExpiredSummary();
	const lines: [number, number][] = [];
	for (let ms = 0; ms <= forMs; ms += 500) {
		const count = summary.due(expired(ms), ms);
		if (count > 0) lines.push([ms, count]);
	}
	return lines;
}

it('tells of an outage once, with the whole number, when it is over', () => {
	expect(told((ms) => Math.min(30, Math.floor(ms / 100)), 60_000)).toEqual([[8000, 30]]);
});

it('tells of the next one by itself', () => {
	expect(told((ms) => (ms < 20_000 ? 3 : 10), 60_000)).toEqual([
		[5000, 3],
		[25_000, 7],
	]);
});

it('tells every minute of one that does not end', () => {
	expect(told((ms) => 1 + ms / 500, 130_000)).toEqual([
		[60_000, 121],
		[120_500, 121],
	]);
});

it('says nothing while nothing expires', () => {
	expect(told(() => 0, 60_000)).toEqual([]);
});
