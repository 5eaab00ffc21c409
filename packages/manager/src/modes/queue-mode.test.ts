import { EventEmitter } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import type { GatewayProcessStats } from '@shardctl/core';
import { fakeClock } from '@shardctl/test-support';
import { expect, it, vi } from 'vitest';
import type { ManagedWorker } from '../workers/managed-worker.js';
import { QueueMode, type QueueModeOptions } from './queue-mode.js';

const session = (id: number, status: string) => ({
	id,
	status,
	shardIds: [id],
	since: 5,
	ping: 40,
	lastClose: null,
	waitsForBudget: false,
});
const shard = (shardId: number) => ({ shardId, session: shardId, guildCount: 10 });

function gateway(given: Partial<Record<keyof GatewayProcessStats, unknown>>): GatewayProcessStats {
	const shardIds = [0, 1];
	const common = {
		id: 0,
		pid: 7,
		status: 'ready',
		shardIds,
		rssBytes: 2 ** 22,
		uptimeMs: 9,
		restarts: 1,
		lastExit: null,
		since: 3,
	};
	return { ...common, shards: shardIds.map(shard), sessions: [], ...given } as unknown as GatewayProcessStats;
}

function mode(options: Partial<QueueModeOptions> = {}): QueueMode {
	const starts = { lastGateway: { url: 'wss://x' } };
	return new QueueMode({ starts, sessions: null, ...options } as unknown as QueueModeOptions);
}

it('shows the shards as their gateway process does, without a worker', () => {
	const rows = mode().shardStats([gateway({ sessions: [session(0, 'ready'), session(1, 'resuming')] })]);
	expect(rows).toMatchObject([
		{ shardId: 0, workerId: null, pid: 7, status: 'ready', ready: true, guildCount: 10, ping: 40, memoryMb: 2, restarts: 1 },
		{ shardId: 1, workerId: null, status: 'reconnecting', ready: false },
	]);
});

it.each([
	['ready', 'idle', 'planned'],
	['ready', 'connecting', 'identifying'],
	['ready', 'refused', 'failed'],
	['backing-off', undefined, 'restarting'],
	['failed', undefined, 'failed'],
	['starting', undefined, 'booting'],
	// It does not answer.
	['ready', undefined, 'booting'],
])('shows a shard of a process that is %s with a session that is %s as %s', (status, of, shown) => {
	const sessions = of === undefined ? [] : [session(0, of), session(1, of)];
	const [first] = mode().shardStats([gateway({ status, sessions })]);
	expect([first?.status, first?.ready]).toEqual([shown, false]);
});

it('starts a worker at once, and a successor that has failed not again', async () => {
	const present = { child: { epoch: 3 } } as unknown as ManagedWorker;
	const successor = { child: { epoch: 1 } } as unknown as ManagedWorker;
	const owning = mode({ workers: { owns: (worker: ManagedWorker) => worker === present } as never });
	const { signal } = new AbortController();
	expect(await owning.prepare(present, signal)).toEqual({ gateway: { url: 'wss://x' }, startsSessions: false });
	const ending = new AbortController();
	let settled = false;
	const waiting = owning.prepare(successor, ending.signal).finally(() => {
		settled = true;
	});
	await setImmediate();
	expect(settled).toBe(false);
	ending.abort(new Error('the end'));
	await expect(waiting).rejects.toThrow('the end');
});

it('gives no identify slot, and cannot be resharded or restart gateway processes that are elsewhere', async () => {
	const worker = { label: 'worker 0' } as ManagedWorker;
	await expect(mode().acquireIdentify(worker, 1)).rejects.toMatchObject({ code: 'SHARD_NOT_OWNED' });
	const reshard = mode().reshard({ group: 0, from: 2, to: 4 }, new AbortController().signal);
	await expect(reshard).rejects.toMatchObject({ code: 'RESHARD_UNSUPPORTED' });
	await expect(mode().restartGateways()).rejects.toMatchObject({ code: 'OPTIONS_INVALID' });
});

it('starts while Redis is away for a moment, and reports that once', async () => {
	const clock = fakeClock();
	const answers = [() => Promise.reject(new Error('away')), () => Promise.reject(new Error('away')), async () => true];
	const isWanted = vi.fn<() => Promise<boolean>>(() => (answers.shift() as () => Promise<boolean>)());
	const warn = vi.fn<(message: string) => void>();
	const sessions = { stats: async () => [gateway({ sessions: [session(0, 'ready')] })] };
	const options = { clock, logger: { warn, info() {} } };
	const starting = mode({ queue: { isWanted }, options, sessions } as never).whenServed(new AbortController().signal);
	let isDone = false;
	const done = starting.then(() => {
		isDone = true;
	});
	await vi.waitFor(async () => {
		await clock.advance(200);
		expect(isDone).toBe(true);
	});
	await done;
	expect(isWanted).toHaveBeenCalledTimes(3);
	expect(warn.mock.calls).toEqual([
		[expect.stringMatching(/waits for the event queue, and continues once Redis answers: away$/)],
	]);
});

it('ends a start that waits for Redis with the manager', async () => {
	const stop = new AbortController();
	const queue = { isWanted: () => new Promise<boolean>(() => {}) };
	const starting = mode({ queue, sessions: {}, options: {} } as never).whenServed(stop.signal);
	stop.abort(new Error('the end'));
	await expect(starting).rejects.toThrow('the end');
});

/** A worker that is replaced in a deploy by the next one of the same id. */
function deployed() {
	const did: string[] = [];
	const worker = (name: string) => ({
		id: 0,
		shardIds: [],
		label: 'worker 0',
		name,
		child: Object.assign(new EventEmitter(), {
			state: 'ready',
			epoch: 1,
			lastExit: null,
			start: () => queueMicrotask(() => successor.child.emit('ready')),
			stop: async () => void did.push(`stop ${name}`),
		}),
		on() {},
		off() {},
		restart: async () => did.push(`restart ${name}`) > 0,
	});
	const [old, successor] = [worker('old'), worker('new')];
	let present: object | undefined = old;
	const workers = {
		byId: () => present,
		createStandby: () => successor,
		promote: (next: object) => {
			present = next;
		},
		dismiss() {},
		beginTrial: () => () => {},
	};
	const queueMode = mode({ workers, emit() {}, options: { clock: fakeClock() } } as never);
	const managed = old as unknown as ManagedWorker;
	const how = { first: 'start', signal: new AbortController().signal, onStage() {} } as const;
	const remove = () => {
		present = undefined;
	};
	return { did, queueMode, managed, deploy: () => queueMode.deploy(managed, how), remove };
}

it('replaces a worker only when the trial of its deploy is over, and then the process that it is by now', async () => {
	const { did, queueMode, managed, deploy } = deployed();
	const replacement = await deploy();
	const restarted = queueMode.replace(managed, { reason: 'asked' });
	await setImmediate();
	expect(did).toEqual([]);
	await replacement.release();
	await restarted;
	expect(did).toEqual(['stop old', 'restart new']);
});

it('replaces no worker that has left the fleet meanwhile', async () => {
	const { did, queueMode, managed, deploy, remove } = deployed();
	const replacement = await deploy();
	const [restarted, next] = [queueMode.replace(managed, { reason: 'asked' }), deploy()];
	const outcomes = Promise.allSettled([restarted, next]);
	remove();
	await replacement.release();
	expect(await outcomes).toMatchObject([{ reason: { code: 'WORKER_UNAVAILABLE' } }, { reason: { code: 'WORKER_UNAVAILABLE' } }]);
	expect(did).toEqual(['stop old']);
});
