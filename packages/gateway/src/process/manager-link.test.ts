import { type GatewayEvents, type GatewayManagerMethods, type GatewayMethods, ShardctlError } from '@shardctl/core';
import { memoryPortPair, Peer } from '@shardctl/rpc';
import { expect, it, onTestFinished } from 'vitest';
import { answerManager, type GatewayPeer, IdentifySlots } from './manager-link.js';
import type { ResidentGateway } from './resident-gateway.js';

/** The manager's end. */
type ManagerPeer = Peer<GatewayManagerMethods, GatewayMethods, Record<never, never>, GatewayEvents>;

const settled = () => new Promise((resolve) => setTimeout(resolve, 0));

/** Both ends of the channel; what the manager is told lands in a list. */
function link() {
	const [near, far] = memoryPortPair();
	const peer: GatewayPeer = new Peer({ port: near, epoch: 1 });
	const manager: ManagerPeer = new Peer({ port: far, epoch: 1 });
	onTestFinished(() => {
		peer.close();
		manager.close();
	});
	const told: unknown[] = [];
	for (const name of ['identify.sent', 'identify.confirmed', 'identify.released'] as const) {
		manager.on(name, (slot) => void told.push([name, slot]));
	}
	return { peer, manager, told };
}

it('waits for a slot, says when IDENTIFY went out, and confirms the slot once', async () => {
	const { peer, manager, told } = link();
	const asked: unknown[] = [];
	manager.handle('identify.acquire', (params) => {
		asked.push(params);
		return { slotId: 7 };
	});
	const slots = new IdentifySlots(peer);
	await slots.wait(3, new AbortController().signal);
	await settled();
	slots.confirm(3);
	slots.confirm(3);
	slots.confirm(4);
	await settled();
	expect(asked).toEqual([{ session: 3 }]);
	expect(told).toEqual([
		['identify.sent', { slotId: 7 }],
		['identify.confirmed', { slotId: 7 }],
	]);
});

it('never rejects when the manager refuses or is gone, but when it is called off: a library would identify all the same', async () => {
	const { peer, manager, told } = link();
	manager.handle('identify.acquire', () => {
		throw new ShardctlError('MANAGER_STOPPED', 'no more');
	});
	const slots = new IdentifySlots(peer);
	const abort = new AbortController();
	let outcome = 'waits';
	const waiting = slots.wait(0, abort.signal).then(
		() => {
			outcome = 'goes on';
		},
		(reason: Error) => {
			outcome = reason.message;
		},
	);
	await settled();
	expect(outcome).toBe('waits');
	abort.abort(new Error('called off'));
	await waiting;
	expect(outcome).toBe('called off');
	expect(told).toEqual([]);
});

/** Shards that write down what they are asked. */
function gatewayOf(asked: unknown[][], drained: Record<number, boolean> = {}): ResidentGateway {
	const shard = (shardId: number) => {
		const note =
			(what: string, answer?: unknown) =>
			(...args: unknown[]) => {
				asked.push([shardId, what, ...args]);
				return answer;
			};
		return {
			expect: note('expect'),
			beginHandover: note('begin'),
			handoverWaiting: note('waiting', Promise.resolve()),
			pause: note('pause', Promise.resolve(drained[shardId] ?? true)),
			present: note('present'),
			commitHandover: note('commit', Promise.resolve()),
			abortHandover: note('abort'),
			stream: { releaseHold: note('ready'), released: note('released', Promise.resolve()) },
		};
	};
	return { stats: () => [], shards: (ids: number[]) => ids.map(shard) } as unknown as ResidentGateway;
}

it('passes what the manager asks on to each shard that it names', async () => {
	const { peer, manager } = link();
	const asked: unknown[][] = [];
	answerManager(peer, gatewayOf(asked));
	const params = { incarnation: 5, shardIds: [1, 2] };
	const steps = ['begin', 'waiting', 'present', 'released', 'commit', 'abort'] as const;
	for (const step of steps) expect(await manager.request(`handover.${step}`, params)).toBe(null);
	expect(await manager.request('worker.ready', params)).toBe(null);
	expect(await manager.request('worker.expect', { ...params, crashed: true })).toBe(null);
	expect(await manager.request('ping', null)).toBe(null);
	expect(await manager.request('stats', null)).toEqual([]);
	expect(asked.map((what) => what.slice(0, 2).join(' '))).toEqual(
		[...steps, 'ready', 'expect'].flatMap((what) => [`1 ${what}`, `2 ${what}`]),
	);
	expect(asked.at(-1)).toEqual([2, 'expect', 5, { ...params, crashed: true }]);
});

it('says that a worker has everything only when each of its shards says so', async () => {
	const { peer, manager } = link();
	answerManager(peer, gatewayOf([], { 2: false }));
	const pause = (shardIds: number[]) => manager.request('handover.pause', { incarnation: 1, shardIds });
	expect(await pause([1, 3])).toEqual({ drained: true });
	expect(await pause([1, 2, 3])).toEqual({ drained: false });
});
