import type { ClusterView, NodeRow } from '@shardctl/cluster';
import { ShardctlError } from '@shardctl/core';
import { fakeClock } from '@shardctl/test-support';
import { expect, it } from 'vitest';
import { announceLeave, askedToJoin, drainNode, joinCluster } from './node-entry.js';

const timings = { leaseMs: 6000, takeMarginMs: 500 };
const never = new AbortController().signal;

function setUp() {
	const clock = fakeClock();
	const log: string[] = [];
	const logger = { info: (text: string) => void log.push(text), warn: (text: string) => void log.push(text) };
	return { clock, log, entry: { clock, logger: logger as never, signal: never } };
}
const taken = new ShardctlError('NODE_NAME_TAKEN', 'the name is taken');

/** A node whose starts end with these, one after the other. */
function starting(...ends: (ShardctlError | 'joined')[]) {
	let starts = 0;
	return {
		get starts() {
			return starts;
		},
		start: async () => {
			const end = ends[Math.min(starts++, ends.length - 1)];
			if (end !== 'joined') throw end;
		},
	};
}
const join = (entry: ReturnType<typeof setUp>['entry'], node: { start(): Promise<void> }) =>
	joinCluster({ ...entry, node, timings, reconnected: () => Promise.resolve() });

it('waits for the lease of a node that was just killed under the same name, and says so once', async () => {
	const { clock, log, entry } = setUp();
	const node = starting(taken, taken, taken, 'joined');
	const joined = join(entry, node);
	await clock.advance(2000);
	await joined;
	expect(node.starts).toBe(4);
	expect(log).toEqual(['the name is taken. If it was just killed, its lease ends within 6 s: waiting for that']);
});

it('gives up where the name is still taken after a lease', async () => {
	const { clock, entry } = setUp();
	const [refused] = await Promise.allSettled([join(entry, starting(taken)), clock.advance(10_000)]);
	expect(refused).toEqual({ status: 'rejected', reason: taken });
});

it('asks once more for the cluster that it joins where the connection breaks', async () => {
	const { log, entry } = setUp();
	const broken = new ShardctlError('REDIS_UNAVAILABLE', 'the connection broke');
	const read = (node: { start(): Promise<void> }) =>
		askedToJoin(() => node.start(), { ...entry, reconnected: () => Promise.resolve() });
	const node = starting(broken, 'joined');
	await read(node);
	expect([node.starts, log]).toEqual([2, ['the connection broke; trying once more to join']]);
	await expect(read(starting(broken))).rejects.toThrow(broken);
	const refused = starting(new ShardctlError('REDIS_REFUSED', 'no permission'));
	await expect(read(refused)).rejects.toThrow('no permission');
	expect(refused.starts).toBe(1);
});

it('tries once more where the connection breaks, and does not where the cluster refuses the node', async () => {
	const { log, entry } = setUp();
	const broken = new ShardctlError('REDIS_UNAVAILABLE', 'the connection broke');
	await join(entry, starting(broken, 'joined'));
	expect(log).toEqual(['the connection broke; trying once more to join']);
	await expect(join(entry, starting(broken))).rejects.toThrow(broken);
	const refused = starting(new ShardctlError('CLUSTER_MISMATCH', 'another layout'));
	await expect(join(entry, refused)).rejects.toThrow('another layout');
	expect(refused.starts).toBe(1);
});

const row = (node: string, draining = false, leaseMs = 6000) =>
	({ node, leaseMs, renewals: 1, member: { draining } }) as unknown as NodeRow;

/** Node a with this many sessions; each time the cluster is read, one of them has moved. */
function leaving(count: number, others: readonly NodeRow[], { stuck = false } = {}) {
	let left = count;
	const updates: unknown[] = [];
	return {
		updates,
		node: 'a',
		state: {
			get sessions() {
				return Array.from({ length: left }, (_, session) => ({ session, epoch: 1, hold: 'acting' as const }));
			},
		},
		update: async (changes: unknown) => void updates.push(changes),
		read: async () => {
			if (!stuck) left--;
			return { nodes: [row('a', true), ...others] } as unknown as ClusterView;
		},
	};
}

it('drains until every session has moved, and says how many are left', async () => {
	const { clock, log, entry } = setUp();
	const node = leaving(3, [row('b')]);
	const drained = drainNode({ ...entry, node, deadlineMs: 60_000 });
	await clock.advance(1000);
	await drained;
	expect(node.updates).toEqual([{ draining: true }]);
	expect(log).toEqual(['draining: 2 sessions left to move to other nodes', 'draining: 1 session left to move to other nodes']);
});

it.each([
	['there is none', []],
	['the others drain as well, or are gone', [row('b', true), row('c', false, 0)]],
])('drains to no other node where %s', async (_, others) => {
	const { entry } = setUp();
	const node = leaving(3, others, { stuck: true });
	await drainNode({ ...entry, node, deadlineMs: 60_000 });
	expect(node.state.sessions).toHaveLength(3);
});

it('waits with a drain for what a Redis that was restarted has to learn', async () => {
	const { clock, entry } = setUp();
	const node = leaving(2, [row('b')]);
	let isQuiet = true;
	const read = async () => (isQuiet ? ({ nodes: [row('a', true)], quietMs: 500 } as unknown as ClusterView) : node.read());
	const drained = drainNode({ ...entry, node: { ...node, state: node.state, read }, deadlineMs: 60_000 });
	await clock.advance(1000);
	expect(node.state.sessions).toHaveLength(2);
	isQuiet = false;
	await clock.advance(1000);
	await drained;
	expect(node.state.sessions).toEqual([]);
});

it('ends a drain at its deadline with what it means, and at the signal', async () => {
	const { clock, entry } = setUp();
	const waiting = drainNode({ ...entry, node: leaving(3, [row('b')], { stuck: true }), deadlineMs: 1000 });
	const [late] = await Promise.allSettled([waiting, clock.advance(1200)]);
	expect(late).toMatchObject({ status: 'rejected', reason: { code: 'CALL_TIMEOUT' } });
	const hurry = new AbortController();
	const drain = drainNode({ ...entry, node: leaving(3, [row('b')], { stuck: true }), deadlineMs: 60_000, signal: hurry.signal });
	hurry.abort(new Error('now'));
	await expect(drain).rejects.toThrow('now');
});

it('continues a drain when Redis answers again, and ends it with the reason where it does not', async () => {
	const { clock, entry } = setUp();
	const away = new ShardctlError('REDIS_UNAVAILABLE', 'Redis is away');
	const node = leaving(2, [row('b')]);
	let failures = 20;
	const fails = async () => {
		if (failures-- > 0) throw away;
	};
	const flaky = {
		node: 'a',
		state: node.state,
		update: async (change: object) => fails().then(() => node.update(change as never)),
		read: async () => fails().then(() => node.read()),
	};
	const drained = drainNode({ ...entry, node: flaky, deadlineMs: 60_000 });
	await clock.advance(4000);
	await drained;
	expect(node.updates).toEqual([{ draining: true }]);
	failures = Number.POSITIVE_INFINITY;
	const [ended] = await Promise.allSettled([drainNode({ ...entry, node: flaky, deadlineMs: 60_000 }), clock.advance(11_000)]);
	expect(ended).toMatchObject({ status: 'rejected', reason: away });
});

it('announces what becomes of sessions that cannot move', async () => {
	const { log, entry } = setUp();
	for (const count of [2, 1, 0]) await announceLeave({ ...entry, node: leaving(count, []), because: 'of this' });
	expect(log).toEqual([
		'the 2 sessions start on other nodes with an IDENTIFY each, because of this',
		'the session starts on another node with an IDENTIFY each, because of this',
	]);
});
