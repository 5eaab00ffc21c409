import { setImmediate } from 'node:timers/promises';
import type { GatewayProcessStats } from '@shardctl/core';
import { expect, it } from 'vitest';
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
	await expect(mode().reshard()).rejects.toMatchObject({ code: 'RESHARD_UNSUPPORTED' });
	await expect(mode().restartGateways()).rejects.toMatchObject({ code: 'OPTIONS_INVALID' });
});
