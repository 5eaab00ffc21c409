import { stripVTControlCharacters } from 'node:util';
import { noLosses, withLoss } from '@shardctl/core';
import { expect, it } from 'vitest';
import { lossLines } from './loss-line.js';

const nowMs = 1_700_000_000_000;

it('B11: states what was lost since the start, when and where last, and nothing before the first loss', () => {
	const none = noLosses(nowMs - 3_600_000);
	const some = withLoss(none, { at: nowMs - 185_000, reason: 'worker-died', shardIds: [7], events: 55 });
	const show = (losses: typeof none | undefined, { width = 200, afterMs = 0 } = {}) =>
		lossLines(losses, { width, nowMs: nowMs + afterMs }).map(stripVTControlCharacters);
	expect([show(undefined), show(none)]).toEqual([[], []]);
	expect(show(some)).toEqual(['▲ 55 events lost since the start; last 3m ago, shard 7: in flight to a worker that died']);
	// History.
	expect(show(some, { afterMs: 3_600_000 })[0]).toMatch(/^55 events lost since the start; last 1h 3m ago/);
	expect(show(some, { width: 40 }).join(' ').replace(/ +/g, ' ')).toContain('in flight to a worker that died');
});
