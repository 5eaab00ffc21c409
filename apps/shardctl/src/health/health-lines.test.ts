import { stripVTControlCharacters } from 'node:util';
import type { FleetHealth, HealthCause } from '@shardctl/manager';
import { expect, it } from 'vitest';
import { healthLines } from './health-lines.js';

const nowMs = 1_700_000_000_000;

function cause(over: Partial<HealthCause>): HealthCause {
	return {
		kind: 'worker-down',
		effect: 'outage',
		shardIds: [2, 3],
		message: 'worker 1 (shards 2-3) is restarting: process 7 exited with code 1',
		since: nowMs - 12_000,
		tries: 3,
		nextTryAt: nowMs + 4000,
		lost: 0,
		remedy: null,
		...over,
	};
}

function lines(causes: HealthCause[], width = 200): string[] {
	const health: FleetHealth = { status: 'degraded', served: 0, shards: 4, causes };
	return healthLines(health, { width, nowMs }).map(stripVTControlCharacters);
}

it('prints nothing for a healthy fleet', () => {
	expect(lines([])).toEqual([]);
});

it('B8: prints for each cause its start, attempts, next attempt, loss and remedy', () => {
	expect(
		lines([
			cause({}),
			cause({
				message: 'Discord refused shard 0 (4004): the token is not valid',
				tries: 0,
				nextTryAt: null,
				lost: 1055,
				remedy: 'copy the token again',
			}),
		]),
	).toEqual([
		'✖ worker 1 (shards 2-3) is restarting: process 7 exited with code 1; for 12s; 3 failed attempts, next try in 4s',
		'✖ Discord refused shard 0 (4004): the token is not valid; for 12s; 1,055 events lost since its gateway process started',
		'  → copy the token again',
	]);
});

it('says when a worker that does not answer is replaced', () => {
	expect(lines([cause({ kind: 'worker-unresponsive', message: 'worker 1 does not answer', tries: 0 })])).toEqual([
		'✖ worker 1 does not answer; for 12s; replaced in 4s',
	]);
});

it('omits a next attempt in the past, and unknown values', () => {
	expect(
		lines([
			cause({ message: 'm', nextTryAt: nowMs - 1, tries: 1 }),
			cause({ message: 'n', since: null, tries: 0, nextTryAt: null }),
		]),
	).toEqual(['✖ m; for 12s; 1 failed attempt', '✖ n']);
});

it('marks risks and phases differently from outages', () => {
	expect(
		lines([cause({ effect: 'risk', message: 'r' }), cause({ effect: 'progress', message: 'p' })]).map(([mark]) => mark),
	).toEqual(['▲', '●']);
});

it('stays short in a large outage, and fits the width', () => {
	const shown = lines(
		Array.from({ length: 50 }, () => cause({ remedy: 'a remedy that is longer than the width of the terminal' })),
		40,
	);
	expect(shown.filter((line) => line.startsWith('✖'))).toHaveLength(4);
	expect(shown.length).toBeLessThanOrEqual(4 * 5 + 1);
	expect(shown.at(-1)).toBe('and 46 more causes; see --json');
	expect(shown.filter((line) => line.length > 40)).toEqual([]);
});
