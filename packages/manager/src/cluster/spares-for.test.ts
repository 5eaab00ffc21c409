import type { NodeRow } from '@shardctl/cluster';
import { expect, it } from 'vitest';
import { sparesFor } from './spares-for.js';

const node = (name: string, leaseMs = 6000, draining = false): NodeRow => ({
	node: name,
	member: { name, version: '1', pid: 1, startedAt: 1, capacity: 9, draining, reachesDiscord: true },
	leaseMs,
	renewals: 1,
});

it.each([
	['as many as each of two nodes gets when the third dies', [node('a'), node('b'), node('c')], 12, 2],
	['one where there are few sessions', [node('a'), node('b'), node('c')], 2, 1],
	['not more than may wait', [node('a'), node('b')], 100, 4],
	['none alone', [node('a')], 12, 0],
	['none for a node that is gone or drains', [node('a'), node('b', -1), node('c', 6000, true)], 12, 0],
])('are %s', (_, nodes, sessions, expected) => {
	expect(sparesFor({ nodes }, sessions)).toBe(expected);
});
