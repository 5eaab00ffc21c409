// The control API of one node of a cluster: which part of it a request is about.
import { type Clock, systemClock } from '@shardctl/core';
import { tempDir } from '@shardctl/test-support';
import { pino } from 'pino';
import { beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import { createControlClient, type FleetCluster, type FrameSink } from '../src/index.js';
import { readyzRoute } from '../src/routes/probes.js';
import { startControl } from '../src/server/index.js';
import { FakeFleet } from './fake-fleet.js';

beforeEach(() => {
	vi.stubEnv('SHARDCTL_STATE_DIR', tempDir('shardctl-state-'));
	return () => vi.unstubAllEnvs();
});

class ClusterFleet extends FakeFleet {
	cluster: FleetCluster | undefined;
}

const clock: Clock = systemClock;
const event = { seq: 1, at: 5, type: 'fleet:ready', shards: 1, workers: 1, tookMs: 1 } as const;

/** A node `a` that has joined, with a node `b` beside it; each part answers a call with its own name. */
async function node({ joined = true, alone = false } = {}) {
	const [own, whole, other] = ['a', 'all', 'b'].map((name) => {
		const fleet = new ClusterFleet();
		fleet.outcomes = [{ status: 'fulfilled', value: name, workerId: 0, shardIds: [0] }];
		return fleet;
	}) as [ClusterFleet, ClusterFleet, ClusterFleet];
	const asked: unknown[] = [];
	const cluster = {
		node: 'a',
		joined,
		whole,
		fleetOf: async (name: string) => {
			asked.push(name);
			return other;
		},
		serve: () => {},
		stopNodes: async (how: object) => {
			asked.push(how);
			return ['b'];
		},
		recentEvents: async (name?: string) => [{ ...event, node: name ?? 'all' }],
		follow: async (sink: FrameSink, request: object) => {
			asked.push(request);
			sink.send(Buffer.from(`event: fleet:ready\ndata: ${JSON.stringify(event)}\n\n`));
		},
	} as unknown as FleetCluster;
	if (!alone) own.cluster = cluster;
	const control = await startControl(own, {}, { file: 'bot.js', logger: pino({ level: 'silent' }), clock });
	onTestFinished(() => control.close({ how: 'stopped', code: null, message: 'stopped by a test' }));
	const valueFor = async (scope: object) => {
		const [result] = await createControlClient('fleet', { scope }).eval('1');
		return result?.status === 'fulfilled' ? result.value : undefined;
	};
	return { own, asked, valueFor, client: createControlClient('fleet') };
}

it('is about all nodes, about this one, or about the one that is named', async () => {
	const { valueFor, asked, client } = await node();
	expect(await Promise.all([{}, { local: true }, { node: 'a' }, { node: 'b' }].map(valueFor))).toEqual(['all', 'a', 'a', 'b']);
	expect(asked).toEqual(['b']);
	await expect(valueFor({ local: true, node: 'b' })).rejects.toMatchObject({ code: 'OPTIONS_INVALID' });
	expect(await client.events()).toMatchObject([{ node: 'all' }]);
	expect(await createControlClient('fleet', { scope: { local: true } }).events()).toEqual([]);
	for await (const followed of client.followEvents({ tail: 3 })) {
		expect(followed).toEqual({ item: event });
		break;
	}
	expect(asked[1]).toEqual({ what: 'events', tail: 3, node: undefined });
});

it('is about this node before it has joined', async () => {
	const { valueFor } = await node({ joined: false });
	expect(await valueFor({})).toBe('a');
});

it('stops this node, another one, or all, of which this one is the last', async () => {
	const { own, asked, client } = await node();
	expect(await client.stop({ node: 'b' })).toEqual({ stopped: true, nodes: ['b'] });
	expect(own.actions).toEqual([]);
	expect(asked).toEqual([{ node: 'b', reason: '"shardctl stop"' }]);
	await expect(client.stop({ node: 'b', all: true })).rejects.toMatchObject({ code: 'OPTIONS_INVALID' });
});

it('is ready while it has joined and has no shards, where a fleet on one machine is not', async () => {
	const health = { status: 'healthy', served: 0, shards: 0, causes: [] };
	const ready = async (cluster: object | undefined) => {
		const context = { fleet: { cluster }, feed: { recentHealth: async () => health }, authorised: false };
		return (await readyzRoute.run({}, context as never)).ready;
	};
	expect(await ready({ joined: true })).toBe(true);
	expect(await ready({ joined: false })).toBe(false);
	expect(await ready(undefined)).toBe(false);
});

it('is refused on one machine, where it names a node or is about nodes', async () => {
	const { valueFor, client } = await node({ alone: true });
	expect(await Promise.all([{}, { local: true }].map(valueFor))).toEqual(['a', 'a']);
	const refused = [
		valueFor({ node: 'b' }),
		client.nodes(),
		client.drain(),
		client.move({ shardId: 0, node: 'b' }),
		client.rebalance(),
		client.stop({ all: true }),
	];
	for (const { reason } of (await Promise.allSettled(refused)) as PromiseRejectedResult[]) {
		expect(reason).toMatchObject({ code: 'NOT_A_CLUSTER' });
	}
});
