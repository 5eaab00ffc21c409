import fc from 'fast-check';
import { expect, it } from 'vitest';
import { countsProblem, resolveCounts, splitSessionProblem } from './counts.js';

it.each([
	['as many sessions as shards', 6, undefined, 4, [6, 6]],
	['what Discord recommends of both', 'auto', undefined, 4, [4, 4]],
	['what Discord recommends of both, said so', 'auto', 'auto', 4, [4, 4]],
	['both as given', 6, 2, 4, [6, 2]],
	['as few sessions as Discord recommends and the shards allow', 12, 'auto', 5, [12, 6]],
	['no more sessions than shards', 3, 'auto', 5, [3, 3]],
	['as many shards as Discord recommends and the sessions carry evenly', 'auto', 4, 10, [12, 4]],
	['no fewer shards than sessions', 'auto', 8, 3, [8, 8]],
] as const)('accepts %s', (_, totalShards, sessions, recommended, expected) => {
	expect(Object.values(resolveCounts({ totalShards, sessions }, recommended))).toEqual(expected);
});

it.each([
	['one session for each node', 16, 'auto', 3, 1, [16, 4]],
	['what Discord recommends where that is more', 16, 'auto', 3, 8, [16, 8]],
	['no more sessions than shards', 2, 'auto', 3, 1, [2, 2]],
	['as given', 16, 1, 3, 1, [16, 1]],
] as const)('plans %s in a cluster', (_, totalShards, sessions, nodes, recommended, expected) => {
	expect(Object.values(resolveCounts({ totalShards, sessions, nodes }, recommended))).toEqual(expected);
});

it('fits chosen counts to given ones', () => {
	const count = fc.integer({ min: 1, max: 500 });
	fc.assert(
		fc.property(fc.oneof(count, fc.constant('auto' as const)), count, (given, recommended) => {
			for (const wanted of [
				{ totalShards: given, sessions: 'auto' as const },
				{ totalShards: 'auto' as const, sessions: given },
			]) {
				expect(countsProblem(resolveCounts(wanted, recommended))).toBeUndefined();
			}
		}),
	);
});

it.each([
	[10, 4, /^10 shards cannot be split over 4 sessions; use 8 or 12 shards, or 2 or 5 sessions$/],
	[7, 3, /; use 6 or 9 shards, or 1 or 7 sessions$/],
	[4, 6, /; use 6 shards, or 4 sessions$/],
])('suggests near numbers for %i shards and %i sessions', (totalShards, sessions, text) => {
	expect(countsProblem({ totalShards, sessions })).toMatch(text);
});

it('requires all shards of a session in one place', () => {
	const counts = { totalShards: 6, sessions: 2 };
	expect(splitSessionProblem([0, 2, 4], counts)).toBeUndefined();
	expect(splitSessionProblem([0, 1, 2, 3, 4, 5], counts)).toBeUndefined();
	expect(splitSessionProblem([0, 1], { totalShards: 2, sessions: 2 })).toBeUndefined();
	expect(splitSessionProblem([0, 2], counts)).toMatch(
		/^shard 4 is missing: it shares a Discord session with shard 0, .*; use 0,2,4, for example$/,
	);
});
