import { type GatewayEvents, type GatewayManagerMethods, type GatewayMethods, ShardctlError } from '@shardctl/core';
import { memoryPortPair, Peer } from '@shardctl/rpc';
import { expect, it, onTestFinished } from 'vitest';
import { answerManager, type GatewayPeer, identifyClient } from './manager-link.js';
import type { ResidentGateway } from './resident-gateway.js';

/** The manager's end of the channel. */
type ManagerPeer = Peer<GatewayManagerMethods, GatewayMethods, Record<never, never>, GatewayEvents>;

const settled = () => new Promise((resolve) => setTimeout(resolve, 0));

/** Both ends of the channel; the reports that the manager receives are collected in a list. */
function link() {
	const [near, far] = memoryPortPair();
	const peer: GatewayPeer = new Peer({ port: near, epoch: 1 });
	const manager: ManagerPeer = new Peer({ port: far, epoch: 1 });
	onTestFinished(() => {
		peer.close();
		manager.close();
	});
	const reports: unknown[] = [];
	for (const name of ['identify.sent', 'identify.confirmed', 'identify.released'] as const) {
		manager.on(name, (slot) => void reports.push([name, slot]));
	}
	return { peer, manager, reports };
}

it('requests the identify slot of a session from the manager, and reports the result', async () => {
	const { peer, manager, reports } = link();
	const asked: unknown[] = [];
	manager.handle('identify.acquire', (params) => {
		asked.push(params);
		return { slotId: 7 };
	});
	const client = identifyClient(peer);
	await client.wait(3, new AbortController().signal);
	await settled();
	client.confirm(3);
	client.confirm(3);
	client.confirm(4);
	await settled();
	expect(asked).toEqual([{ session: 3 }]);
	expect(reports).toEqual([
		['identify.sent', { slotId: 7 }],
		['identify.confirmed', { slotId: 7 }],
	]);
});

it('waits while the manager refuses or is unreachable, until the connection closes', async () => {
	const { peer, manager, reports } = link();
	manager.handle('identify.acquire', () => {
		throw new ShardctlError('MANAGER_STOPPED', 'no more');
	});
	const abort = new AbortController();
	let outcome = 'waits';
	const waiting = identifyClient(peer)
		.wait(0, abort.signal)
		.catch((reason: Error) => {
			outcome = reason.message;
		});
	await settled();
	expect(outcome).toBe('waits');
	abort.abort(new Error('closed'));
	await waiting;
	expect([outcome, reports]).toEqual(['closed', []]);
});

/** Shards that record the requests they get. */
function gatewayOf(asked: unknown[][], drained: Record<number, boolean> = {}): ResidentGateway {
	const shard = (shardId: number) => {
		const note =
			(what: string, answer?: unknown) =>
			(...args: unknown[]) => {
				asked.push([shardId, what, ...args]);
				return answer;
			};
		return {
			admitOnly: note('admitOnly'),
			workerReady: note('workerReady'),
			handover: {
				begin: note('begin'),
				waiting: note('waiting', Promise.resolve()),
				pause: note('pause', Promise.resolve(drained[shardId] ?? true)),
				answer: note('present'),
				released: note('released', Promise.resolve()),
				commit: note('commit', Promise.resolve()),
				abort: note('abort'),
			},
		};
	};
	return { stats: () => [], shards: (ids: number[]) => ids.map(shard) } as unknown as ResidentGateway;
}

it('passes each request of the manager to every shard it names, with the incarnation', async () => {
	const { peer, manager } = link();
	const asked: unknown[][] = [];
	answerManager(peer, gatewayOf(asked));
	const params = { incarnation: 5, shardIds: [1, 2] };
	const steps = ['begin', 'waiting', 'pause', 'present', 'released', 'commit', 'abort'] as const;
	for (const step of steps) {
		expect(await manager.request(`handover.${step}`, params)).toEqual(step === 'pause' ? { drained: true } : null);
	}
	expect(await manager.request('worker.ready', params)).toBe(null);
	expect(await manager.request('worker.expect', { ...params, crashed: true })).toBe(null);
	expect(await manager.request('stats', null)).toEqual([]);
	expect(asked.map((call) => call.slice(0, 3))).toEqual(
		[...steps, 'workerReady', 'admitOnly'].flatMap((what) => [
			[1, what, 5],
			[2, what, 5],
		]),
	);
	expect(asked.at(-1)?.[3]).toEqual({ ...params, crashed: true });
});

it('reports that a worker has everything only when each of its shards does', async () => {
	const { peer, manager } = link();
	answerManager(peer, gatewayOf([], { 2: false }));
	const pause = (shardIds: number[]) => manager.request('handover.pause', { incarnation: 1, shardIds });
	expect(await pause([1, 3])).toEqual({ drained: true });
	expect(await pause([1, 2, 3])).toEqual({ drained: false });
});
