import { expect, it } from 'vitest';
import { ExpiredSummary } from './expired-summary.js';

/** Checks every half second; `expired` returns the count at a time. */
function reports(expired: (ms: number) => number, forMs: number): [ms: number, count: number][] {
	const summary = new ExpiredSummary();
	const lines: [number, number][] = [];
	for (let ms = 0; ms <= forMs; ms += 500) {
		const count = summary.due(expired(ms), ms);
		if (count > 0) lines.push([ms, count]);
	}
	return lines;
}

it('reports an outage once, with the total, when it is over', () => {
	expect(reports((ms) => Math.min(30, Math.floor(ms / 100)), 60_000)).toEqual([[8000, 30]]);
});

it('reports the next outage separately', () => {
	expect(reports((ms) => (ms < 20_000 ? 3 : 10), 60_000)).toEqual([
		[5000, 3],
		[25_000, 7],
	]);
});

it('reports every minute while an outage continues', () => {
	expect(reports((ms) => 1 + ms / 500, 130_000)).toEqual([
		[60_000, 121],
		[120_500, 121],
	]);
});

it('reports nothing while nothing expires', () => {
	expect(reports(() => 0, 60_000)).toEqual([]);
});
