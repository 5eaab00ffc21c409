import type { ClusterView, NodeRow } from '@shardctl/cluster';
import { expect, it } from 'vitest';
import { GoneNodes } from './gone-nodes.js';

const node = (id: string, startedAt: number, rest: { leaseMs?: number; abandoned?: boolean } = {}): NodeRow => ({
	node: id,
	leaseMs: rest.leaseMs ?? 6000,
	renewals: 1,
	member: {
		name: `host-${id}`,
		version: '1.0.0',
		pid: 1,
		startedAt,
		capacity: 10,
		draining: rest.abandoned === true,
		abandoned: rest.abandoned === true,
		reachesDiscord: true,
	},
});
const view = (nodes: NodeRow[], owners: string[] = []): ClusterView => ({
	identity: 'e',
	version: 1,
	quietMs: 0,
	layout: undefined,
	reshard: undefined,
	nodes,
	sessions: owners.map((owner, session) => ({ session, owner, epoch: 1, phase: 'held', target: undefined, unsure: false })),
	records: new Map(),
});

const goneNodes = (self: string) =>
	new GoneNodes(self, ({ sessions }, id) => sessions.filter(({ owner }) => owner === id).length);

it.each([
	['whose lease has ended', { leaseMs: -5 }],
	['whose manager is gone', { abandoned: true }],
])('reports a node %s once, by the node that joined first', (_, how) => {
	const [first, second] = [goneNodes('a'), goneNodes('b')];
	const before = view([node('a', 1), node('b', 2), node('c', 3)], ['a', 'c', 'c', 'b']);
	const after = view([node('a', 1), node('b', 2), node('c', 3, how)], ['a', 'a', 'b', 'b']);
	for (const each of [first, second]) expect(each.note(before)).toEqual([]);
	expect(first.note(after)).toEqual([{ name: 'host-c', sessions: 2 }]);
	expect(second.note(after)).toEqual([]);
	expect(first.note(after)).toEqual([]);
});

it('is reported by the next one when the node that joined first is gone itself', () => {
	const nodes = goneNodes('b');
	nodes.note(view([node('a', 1), node('b', 2)], ['a', 'a']));
	expect(nodes.note(view([node('a', 1, { leaseMs: 0 }), node('b', 2)]))).toEqual([{ name: 'host-a', sessions: 2 }]);
});

it('does not report a node that has left, or that was gone before', () => {
	const nodes = goneNodes('a');
	expect(nodes.note(view([node('a', 1), node('b', 2), node('c', 3, { leaseMs: -1 })]))).toEqual([]);
	expect(nodes.note(view([node('a', 1)]))).toEqual([]);
	// One of the same name joins, and dies.
	nodes.note(view([node('a', 1), node('d', 4)]));
	expect(nodes.note(view([node('a', 1), node('d', 4, { leaseMs: -1 })]))).toEqual([{ name: 'host-d', sessions: 0 }]);
});

it('reports no node whose lease ended while Redis was away, and after the quiet period those that have not renewed theirs', () => {
	const nodes = goneNodes('a');
	nodes.note(view([node('a', 1), node('b', 2), node('c', 3)], ['a', 'b', 'c']));
	const back = view([node('a', 1), node('b', 2, { leaseMs: -4000 }), node('c', 3, { leaseMs: -4000 })], ['a', 'b', 'c']);
	expect(nodes.note({ ...back, quietMs: 7000 })).toEqual([]);
	const quietIsOver = view([node('a', 1), node('b', 2), node('c', 3, { leaseMs: -11_000 })], ['a', 'b', 'c']);
	expect(nodes.note(quietIsOver)).toEqual([{ name: 'host-c', sessions: 1 }]);
});
