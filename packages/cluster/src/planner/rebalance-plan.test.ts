import { expect, it } from 'vitest';
import type { ClusterView } from '../table/cluster-view.js';
import { rebalanceMoves, rebalanceStep } from './rebalance-plan.js';

function view(owners: string[], nodes = ['a', 'b', 'c']): ClusterView {
	return {
		identity: 'e',
		version: 1,
		quietMs: 0,
		layout: '',
		reshard: undefined,
		nodes: nodes.map((node) => ({
			node,
			leaseMs: 5000,
			renewals: 1,
			member: { name: node, version: '1', pid: 1, startedAt: 0, capacity: 100, draining: false, reachesDiscord: true },
		})),
		sessions: owners.map((owner, session) => ({ session, owner, epoch: 1, phase: 'held', target: undefined, unsure: false })),
		records: new Map(),
	};
}

it('lists every move until the nodes are even, each session once', () => {
	const owners = Array.from({ length: 12 }, () => 'a');
	const moves = rebalanceMoves(view(owners), 12);
	for (const { session, to } of moves) owners[session] = to;
	const counts = ['a', 'b', 'c'].map((node) => owners.filter((owner) => owner === node).length);
	expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
	expect(new Set(moves.map(({ session }) => session)).size).toBe(moves.length);
});

it('has nothing to do where the nodes are even, and begins only what may move at once', () => {
	expect(rebalanceMoves(view(['a', 'b', 'c']), 3)).toEqual([]);
	expect(rebalanceStep(view(Array.from({ length: 12 }, () => 'a')), 12)).toHaveLength(1);
});
