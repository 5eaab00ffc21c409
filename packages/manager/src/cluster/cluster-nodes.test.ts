import type { ClusterView, NodeRow, SessionRow } from '@shardctl/cluster';
import { expect, it } from 'vitest';
import {
	namedMoves,
	nodeInfos,
	nodeNamed,
	ownerOfShard,
	requestedMove,
	requireOthers,
	sessionCount,
	sessionPlaces,
} from './cluster-nodes.js';

const row = (name: string, leaseMs: number, draining = false): NodeRow => ({
	node: `id-${name}`,
	member: { name, version: '1', pid: 7, startedAt: 5, capacity: 1_000_000, draining, reachesDiscord: true },
	leaseMs,
	renewals: 1,
});
const held = (session: number, name: string | undefined, to?: string): SessionRow => ({
	session,
	owner: name && `id-${name}`,
	epoch: 1,
	phase: to === undefined ? 'held' : 'moving',
	target: to && `id-${to}`,
	unsure: false,
});
const view = (changes: Partial<ClusterView> = {}): ClusterView => ({
	identity: 'e',
	version: 1,
	quietMs: 0,
	layout: '',
	reshard: undefined,
	nodes: [row('b', 6000), row('a', 1000), row('c', 5000, true), row('d', -1)],
	sessions: [held(0, 'b'), held(1, 'c')],
	records: new Map(),
	...changes,
});
const layout = { generation: 0, totalShards: 6, sessions: 3 };
const terms = {
	layout,
	timings: { leaseMs: 6000, validMs: 4500 },
	slicing: { shardsPerWorker: 1, cores: 2 },
};

it('shows each node by its name, with what it has and what it may do', () => {
	const nodes = nodeInfos(view(), terms);
	expect(nodes.map(({ name, status, sessions, shards, workers }) => [name, status, sessions, shards, workers])).toEqual([
		['a', 'muted', 0, 0, 0],
		['b', 'ready', 1, 2, 2],
		['c', 'draining', 1, 2, 2],
		['d', 'gone', 0, 0, 0],
	]);
	expect(nodes[1]).toEqual(expect.objectContaining({ pid: 7, version: '1', capacity: null, leaseMs: 6000, startedAt: 5 }));
	expect(nodeInfos(view({ quietMs: 5, sessions: [] }), terms)[1]?.status).toBe('joining');
	const forgotten = { ...row('x', 5000), member: undefined };
	expect(nodeInfos(view({ nodes: [forgotten] }), terms)).toMatchObject([
		{ name: 'id-x', status: 'joining', pid: null, version: null },
	]);
});

it('shows every session, also one that no node has, and where it is moved to', () => {
	expect(sessionPlaces(view({ sessions: [held(0, 'b', 'a'), held(1, 'c')] }), terms)).toEqual([
		{ session: 0, shardIds: [0, 3], node: 'b', phase: 'moving', target: 'a' },
		{ session: 1, shardIds: [1, 4], node: 'c', phase: 'held', target: null },
		{ session: 2, shardIds: [2, 5], node: null, phase: 'held', target: null },
	]);
	expect(ownerOfShard(view(), layout, 4)?.node).toBe('id-c');
	expect(ownerOfShard(view(), layout, 5)).toBeUndefined();
});

it('plans a requested move, and none where the session is there or on its way', () => {
	expect(requestedMove(view(), layout, { shardId: 4, node: 'b' })).toEqual([
		{ op: 'move', session: 1, from: 'id-c', to: 'id-b' },
	]);
	expect(requestedMove(view(), layout, { shardId: 3, node: 'b' })).toEqual([]);
	const moving = view({ sessions: [held(0, 'b', 'a')] });
	expect(requestedMove(moving, layout, { shardId: 0, node: 'a' })).toEqual([]);
	expect(requestedMove(moving, layout, { shardId: 0, node: 'b' })).toEqual([{ op: 'cancel', session: 0, from: 'id-b' }]);
	expect(namedMoves(view(), terms, requestedMove(view(), layout, { shardId: 4, node: 'b' }))).toEqual([
		{ sessions: [1], shardIds: [1, 4], from: 'c', to: 'b' },
	]);
});

it('names and counts sessions as they are after a resharding', () => {
	const resharded = JSON.stringify({ totalShards: 6, started: 3, sessions: 6, resharded: null, state: 'done', to: 6 });
	const moves = namedMoves(view({ reshard: resharded }), terms, [{ op: 'move', session: 1, from: 'id-c', to: 'id-b' }]);
	expect(moves).toEqual([{ sessions: [1, 4], shardIds: [1, 4], from: 'c', to: 'b' }]);
	expect(sessionCount(view({ reshard: resharded }), terms, 'id-c')).toBe(2);
});

it('refuses what cannot be, with a code and what there is', () => {
	const failure = (act: () => unknown) => {
		try {
			return act();
		} catch (error) {
			const { code, message } = error as { code: string; message: string };
			return `${code}: ${message}`;
		}
	};
	expect(failure(() => nodeNamed(view(), 'd'))).toBe(
		'NODE_NOT_FOUND: the cluster has no live node "d"; its live nodes are a, b, c',
	);
	expect(failure(() => requestedMove(view(), layout, { shardId: 0, node: 'c' }))).toContain('NODE_DRAINING: node "c" is drained');
	expect(failure(() => requestedMove(view(), layout, { shardId: 2, node: 'b' }))).toContain(
		'SHARD_NOT_OWNED: shard 2 is on no node',
	);
	expect(failure(() => requestedMove(view(), layout, { shardId: 6, node: 'b' }))).toContain('the bot has shards 0-5');
	expect(failure(() => requireOthers(view(), row('b', 6000)))).toBeUndefined();
	const alone = view({ nodes: [row('b', 6000), row('c', 5000, true), row('d', -1)] });
	expect(failure(() => requireOthers(alone, row('b', 6000)))).toContain('LAST_NODE: no other node can take');
});
