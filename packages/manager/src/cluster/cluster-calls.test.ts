import type { ClusterView } from '@shardctl/cluster';
import { ShardctlError, type WorkerOutcome } from '@shardctl/core';
import { PreparedValue } from '@shardctl/rpc';
import { expect, it } from 'vitest';
import { ClusterCalls, complete, type LocalCalls } from './cluster-calls.js';
import type { ClusterTerms } from './cluster-nodes.js';
import type { NodeLinks } from './node-links.js';
import type { NodeCall } from './node-methods.js';

const layout = { generation: 0, totalShards: 4, sessions: 4 };
const slicing: ClusterTerms['slicing'] = { shardsPerWorker: 1, cores: 2 };
const fulfilled = (shardId: number, value: unknown): WorkerOutcome => ({
	status: 'fulfilled',
	value,
	workerId: shardId,
	shardIds: [shardId],
});

/** A cluster whose sessions belong to these nodes, of which the first is this one, and how the others answer. */
function cluster(
	owners: (string | undefined)[],
	answer: (node: string, params: NodeCall) => unknown = () => [],
	terms = slicing,
) {
	const names = [...new Set(owners)].filter((name) => name !== undefined);
	let view = {
		nodes: names.map((node) => ({ node, leaseMs: 1, renewals: 1, member: { name: node } })),
		sessions: owners.map((owner, session) => ({ session, owner, phase: 'held' })),
	} as unknown as ClusterView;
	const asked: string[] = [];
	const links = {
		door: { node: { node: 'here' }, layout },
		view: async () => view,
		read: async () => view,
		request: async ({ node }: { node: string }, method: string, params: NodeCall | PreparedValue) => {
			asked.push(`${node} ${method}`);
			return answer(node, (params instanceof PreparedValue ? {} : params) as NodeCall);
		},
	} as unknown as NodeLinks;
	const local = {
		eval: async () => owners.flatMap((owner, session) => (owner === 'here' ? [fulfilled(session, 'here')] : [])),
		fetchClientValues: async (_path: string, { shard }: { shard: number }) => `here ${shard}`,
	} as unknown as LocalCalls;
	const calls = new ClusterCalls({ links, local, terms: () => ({ layout, slicing: terms }), defaultTimeoutMs: 1000 });
	return {
		calls,
		asked,
		move: (session: number, owner: string) => {
			view = {
				...view,
				nodes: [...view.nodes, { node: owner, leaseMs: 1, renewals: 1, member: { name: owner } as never }],
				sessions: view.sessions.map((row) => (row.session === session ? { ...row, owner } : row)),
			};
		},
	};
}

it('asks each node once, and returns the results in order of shard', async () => {
	const { calls, asked } = cluster(['far', 'here', 'far', 'here'], () => [fulfilled(2, 'far'), fulfilled(0, 'far')]);
	expect(await calls.broadcastEval('1')).toEqual(['far', 'here', 'far', 'here']);
	expect(asked).toEqual(['far call']);
});

it('names no worker of a node with a queue that does not answer: which it has is not known', async () => {
	const silent = () => {
		throw new ShardctlError('CALL_TIMEOUT', 'no answer');
	};
	const { calls } = cluster(['here', 'far', 'far', 'far'], silent, { ...slicing, queue: {} });
	const outcomes = (await calls.broadcastEval('1', { settle: true })) as WorkerOutcome[];
	expect(outcomes.filter(({ status }) => status === 'rejected')).toMatchObject([{ workerId: -1, shardIds: [], node: 'far' }]);
});

it('sends a call to a shard to the node that owns it, and again where it has moved meanwhile', async () => {
	const fleet = cluster(['here', 'far', 'far', 'far'], (node, { options }) => {
		if (node === 'third') return `third ${options.shard}`;
		fleet.move(1, 'third');
		throw new ShardctlError('SHARD_NOT_OWNED', 'it has moved');
	});
	expect(await fleet.calls.fetchClientValues('a', 0)).toBe('here 0');
	expect(await fleet.calls.fetchClientValues('a', 1)).toBe('third 1');
	expect(fleet.asked).toEqual(['far call', 'third call']);
	await expect(fleet.calls.fetchClientValues('a', 4)).rejects.toMatchObject({ code: 'SHARD_NOT_OWNED' });
});

it('has an outcome for every worker, also of a node that does not respond and of a session that no node has', async () => {
	const { calls } = cluster(['far', 'here', undefined, 'far'], () => {
		throw new ShardctlError('CHANNEL_CLOSED', 'node "far" no longer responds');
	});
	const outcomes = (await calls.broadcastEval('1', { settle: true })) as WorkerOutcome[];
	expect(
		outcomes.map((outcome) => [
			outcome.shardIds,
			outcome.node,
			outcome.status === 'rejected' && (outcome.reason as ShardctlError).code,
		]),
	).toEqual([
		[[0], 'far', 'CHANNEL_CLOSED'],
		[[1], 'here', false],
		[[2], undefined, 'WORKER_UNAVAILABLE'],
		[[3], 'far', 'CHANNEL_CLOSED'],
	]);
	await expect(calls.broadcastEval('1')).rejects.toMatchObject({ code: 'BROADCAST_FAILED' });
});

it('takes the result of the node where a worker answered, when two have it', () => {
	const lost: WorkerOutcome = { status: 'rejected', reason: 'moved', workerId: 0, shardIds: [0] };
	expect(complete([lost, fulfilled(0, 'new')], [[0]])).toEqual([fulfilled(0, 'new')]);
	expect(complete([fulfilled(0, 'old'), lost], [[0]])).toEqual([fulfilled(0, 'old')]);
});

it('refuses wrong arguments before it asks a node', async () => {
	const { calls, asked } = cluster(['far', 'far', 'far', 'far']);
	await expect(calls.fetchClientValues(5 as never)).rejects.toMatchObject({ code: 'OPTIONS_INVALID' });
	await expect(calls.call('a', 'b' as never)).rejects.toMatchObject({ code: 'OPTIONS_INVALID' });
	expect(asked).toEqual([]);
});
