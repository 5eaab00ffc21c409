import type { NodeInfo, SessionPlace } from '@shardctl/control';
import type { HealthCause, ManagerStats, SizingStats } from '@shardctl/core';
import { expect, it } from 'vitest';
import { mergeStats, type NodeStats } from './merge-stats.js';

const node = (name: string, changes: Partial<NodeInfo> = {}): NodeInfo => ({
	name,
	status: 'ready',
	pid: 1,
	version: '1',
	sessions: 1,
	shards: 2,
	workers: 2,
	capacity: null,
	leaseMs: 6000,
	startedAt: 0,
	...changes,
});
const place = (session: number, name: string | null): SessionPlace => ({
	session,
	shardIds: [session, session + 2],
	node: name,
	phase: 'held',
	target: null,
});

/** The figures of a node that runs these shards. */
function stats(
	shardIds: number[],
	{ ready = true, causes = [] }: { ready?: boolean; causes?: HealthCause[] } = {},
): ManagerStats {
	return {
		manager: {
			name: 'fleet',
			pid: shardIds[0] ?? 0,
			version: '1',
			totalShards: 4,
			shardIds,
			workers: shardIds.length,
			startedAt: 0,
			uptimeMs: 0,
			status: 'running',
			identify: { total: 10, remaining: 5, resetAt: 0, maxConcurrency: 1, granted: shardIds.length },
		},
		health: { status: 'healthy', served: shardIds.length, shards: shardIds.length, causes },
		shards: shardIds.map((shardId) => ({ shardId, workerId: shardId, ready }) as ManagerStats['shards'][number]),
		workers: shardIds.map((id) => ({ id, shardIds: [id] }) as unknown as ManagerStats['workers'][number]),
		losses: {
			since: shardIds[0] ?? 0,
			events: 1,
			byReason: { 'worker-died': 0, 'buffer-full': 1, expired: 0, poisoned: 0 },
			sessions: 1,
			last: { at: shardIds[0] ?? 0, reason: 'buffer-full', shardIds, events: 1 },
		},
		gateways: [{ id: 0, shardIds } as unknown as NonNullable<ManagerStats['gateways']>[number]],
	};
}
const part = (name: string, figures: ManagerStats): NodeStats => ({ node: name, stats: figures });
const cause = (changes: Partial<HealthCause>): HealthCause => ({
	kind: 'worker-down',
	effect: 'outage',
	shardIds: [],
	message: 'it is down',
	since: null,
	tries: 1,
	nextTryAt: null,
	lost: 0,
	remedy: null,
	...changes,
});
const both = { self: 'b', nodes: [node('a'), node('b')], places: [place(0, 'a'), place(1, 'b')] };

it('puts the shards, workers and gateway processes of all nodes together, each with its node', () => {
	const merged = mergeStats({ ...both, parts: [part('a', stats([0, 2])), part('b', stats([1, 3]))] });
	expect(merged.shards.map(({ shardId, node: at }) => [shardId, at])).toEqual([
		[0, 'a'],
		[1, 'b'],
		[2, 'a'],
		[3, 'b'],
	]);
	expect(merged.workers.map(({ id, node: at }) => [id, at])).toEqual([
		[0, 'a'],
		[1, 'b'],
		[2, 'a'],
		[3, 'b'],
	]);
	expect(merged.gateways?.map(({ node: at }) => at)).toEqual(['a', 'b']);
	// What is about one process is that of the node that responds.
	expect(merged.manager).toMatchObject({ pid: 1, shardIds: [0, 1, 2, 3], workers: 4, identify: { granted: 4, remaining: 5 } });
	expect(merged.health).toEqual({ status: 'healthy', served: 4, shards: 4, causes: [] });
	expect(merged.losses).toMatchObject({
		since: 0,
		events: 2,
		byReason: { 'buffer-full': 2, expired: 0 },
		sessions: 2,
		last: { at: 1 },
	});
});

it('counts a session that moves once: at the node that owns it', () => {
	const parts = [part('a', stats([0, 2])), part('b', stats([0, 1, 2, 3], { ready: false }))];
	const merged = mergeStats({ ...both, parts });
	expect(merged.shards.map(({ shardId, node: at }) => [shardId, at]).sort()).toEqual([
		[0, 'a'],
		[1, 'b'],
		[2, 'a'],
		[3, 'b'],
	]);
	expect(merged.health).toMatchObject({ status: 'degraded', served: 2, shards: 4 });
});

it('has a cause for each node that is gone, muted or silent, and for what no node has', () => {
	const parts: NodeStats[] = [part('b', stats([1, 3])), { node: 'c', error: 'no answer' }];
	const facts = { self: 'b', places: [place(0, 'a'), place(1, 'b')], parts };
	const kinds = (nodes: NodeInfo[], places = facts.places) =>
		mergeStats({ ...facts, nodes, places }).health.causes.map(({ kind, effect, shardIds }) => [kind, effect, shardIds]);
	expect(kinds([node('a', { status: 'gone' }), node('b')])).toEqual([['node-gone', 'outage', [0, 2]]]);
	expect(kinds([node('a', { status: 'muted' }), node('b')])).toEqual([['node-muted', 'outage', [0, 2]]]);
	// A node that is gone and had nothing is no reason for anything.
	expect(kinds([node('b'), node('d', { status: 'gone', sessions: 0 })], [place(1, 'b')])).toEqual([]);
	expect(kinds([node('b'), node('c')], [place(0, 'c'), place(1, 'b')])).toEqual([['node-silent', 'outage', [0, 2]]]);
	expect(kinds([node('b')], [place(0, null), place(1, 'b')])).toEqual([['shard-unplaced', 'progress', [0, 2]]]);
	expect(kinds([node('b', { capacity: 1 })], [place(0, null), place(1, 'b')])).toEqual([['shard-unplaced', 'outage', [0, 2]]]);
});

it('shows the nodes as they were last while Redis does not answer', () => {
	const parts: NodeStats[] = [{ node: 'a', error: 'no Redis' }, part('b', stats([1, 3]))];
	const { health } = mergeStats({ ...both, parts, problem: 'it was stopped' });
	expect(health).toMatchObject({ status: 'degraded', served: 2, shards: 4 });
	expect(health.causes.map(({ kind, effect }) => [kind, effect])).toEqual([['redis-unreachable', 'risk']]);
});

it('names the node in what a node reports, and leaves out what it says of sessions that it no longer has', () => {
	const causes = [
		cause({ shardIds: [0, 1] }),
		cause({ shardIds: [0] }),
		cause({ kind: 'memory-low', effect: 'risk', message: 'low' }),
	];
	const { health } = mergeStats({ ...both, parts: [part('a', stats([0, 2])), part('b', stats([1, 3], { causes }))] });
	expect(health.causes.map(({ message, shardIds }) => [message, shardIds])).toEqual([
		['node b: it is down', [1]],
		['node b: low', []],
	]);
	expect(health.status).toBe('degraded');
});

it('has the workers of a queue of every node, and the figures of the queue once, from a node that reaches it', () => {
	const queue = { connected: true, written: 7, groups: [{ group: 'g', lag: 5 }] };
	const reader = (id: number) => ({ id, shardIds: [] }) as unknown as ManagerStats['workers'][number];
	const of = (shardId: number, connected: boolean): ManagerStats => ({
		...stats([shardId]),
		workers: [reader(0), reader(1)],
		queue: { ...queue, connected } as unknown as NonNullable<ManagerStats['queue']>,
	});
	const merged = mergeStats({ ...both, parts: [part('a', of(0, true)), part('b', of(1, false))] });
	expect(merged.workers.map(({ id, node: at }) => `${id}${at}`)).toEqual(['0a', '0b', '1a', '1b']);
	expect([merged.manager.workers, merged.queue]).toEqual([4, queue]);
});

it('says that no node has room where none has it for all sessions that have replaced one', () => {
	const nodes = [node('a', { sessions: 2, capacity: 3 })];
	const facts = { self: 'a', nodes, places: [place(0, 'a'), place(1, null)], parts: [part('a', stats([0, 2]))] };
	expect(mergeStats({ ...facts, sessionsEach: 2 }).health.causes).toMatchObject([
		{ message: expect.stringMatching(/no node has room/) },
	]);
	expect(mergeStats({ ...facts, sessionsEach: 1 }).health.causes).toMatchObject([
		{ message: expect.stringMatching(/being placed/) },
	]);
});

it('shows why an automatic resharding waits as the node that decides has it', () => {
	const sized = (shardIds: number[], sizing: Partial<SizingStats>) => ({ ...stats(shardIds), sizing: sizing as SizingStats });
	const parts = [
		part('a', sized([0, 2], { outgrown: true, guilds: 9, waitsFor: null })),
		part('b', sized([1, 3], { outgrown: true, guilds: 1, waitsFor: 'a deploy' })),
	];
	expect(mergeStats({ ...both, parts }).sizing).toMatchObject({ waitsFor: 'a deploy' });
});
