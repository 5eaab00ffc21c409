import type { NodeRow, SessionRow } from '@shardctl/cluster';
import { expect, it } from 'vitest';
import { sparesFor } from './spares-for.js';

const node = (name: string, leaseMs = 6000, draining = false): NodeRow => ({
	node: name,
	member: { name, version: '1', pid: 1, startedAt: 1, capacity: 9, draining, reachesDiscord: true },
	leaseMs,
	renewals: 1,
});
const owned = (owners: string): SessionRow[] =>
	owners.split('').map((owner, session) => ({ session, owner, epoch: 1, phase: 'held', target: undefined, unsure: false }));
const three = [node('a'), node('b'), node('c')];

it.each([
	['what this node gets when the third one dies', three, 'aaaabbbbcccc', 2],
	['more where this node has fewer than the others', three, 'bbbccc', 3],
	['one where there is nothing yet', three, '', 1],
	['not more than may wait', [node('a'), node('b')], 'b'.repeat(50), 4],
	['none alone', [node('a')], 'aaaa', 0],
	['none for a node that is gone or drains', [node('a'), node('b', -1), node('c', 6000, true)], 'abc', 0],
	['none on a node that drains', [node('a', 6000, true), node('b'), node('c')], 'abc', 0],
])('are %s', (_, nodes, owners, expected) => {
	expect(sparesFor({ nodes, sessions: owned(owners) }, 'a')).toBe(expected);
});
