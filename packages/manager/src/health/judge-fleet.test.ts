import type { GatewayProcessStats, GatewaySessionStats, ManagerStatus, ShardStats, WorkerStats } from '@shardctl/core';
import { describe, expect, it } from 'vitest';
import { type FleetFigures, judgeFleet } from './judge-fleet.js';

const nowMs = 1_700_000_000_000;

function shard(shardId: number, over: Partial<ShardStats> = {}): ShardStats {
	return {
		shardId,
		workerId: 0,
		status: 'ready',
		ready: true,
		since: nowMs - 90_000,
		restarts: 0,
		lastExit: null,
		...over,
	} as ShardStats;
}

function worker(over: Partial<WorkerStats> = {}): WorkerStats {
	const heartbeat = { intervalMs: 5000, timeoutMs: 30_000 };
	return {
		id: 0,
		shardIds: [0, 1],
		state: 'ready',
		since: nowMs - 90_000,
		tries: 0,
		nextTryAt: null,
		lastAnswerAt: nowMs,
		heartbeat,
		...over,
	} as WorkerStats;
}

function gateway(...sessions: Partial<GatewaySessionStats>[]): GatewayProcessStats {
	return {
		id: 0,
		status: 'ready',
		shardIds: [0, 1],
		restarts: 0,
		snapshotFailure: null,
		sessions,
		shards: [],
	} as unknown as GatewayProcessStats;
}

function judged({ status = 'running', ...over }: Partial<FleetFigures> & { status?: ManagerStatus }) {
	const identify = { total: 1000, remaining: 900, resetAt: nowMs + 1000, maxConcurrency: 1, granted: 0 };
	const manager = { status, startedAt: nowMs - 100_000, identify } as FleetFigures['manager'];
	return judgeFleet({ manager, shards: [shard(0), shard(1)], workers: [worker()], ...over }, { nowMs });
}

describe('a shard is ready only when Discord serves it and its worker responds', () => {
	it('leaves a healthy fleet unchanged', () => {
		const sessions = [0, 1].map((id) => ({ id, shardIds: [id], status: 'ready' as const }));
		const { manager, health, shards } = judged({ gateways: [gateway(...sessions)] });
		expect(manager.status).toBe('running');
		expect(health).toEqual({ status: 'healthy', served: 2, shards: 2, causes: [] });
		expect(shards.map(({ ready }) => ready)).toEqual([true, true]);
	});

	it('B1: not when its session was refused', () => {
		const lastClose = { code: 4004, reason: 'the token is not valid', at: nowMs - 7000 };
		const refused: Partial<GatewaySessionStats> = { id: 0, shardIds: [0], status: 'refused', since: nowMs - 7000, lastClose };
		const { manager, health, shards } = judged({ gateways: [gateway(refused, { id: 1, shardIds: [1], status: 'ready' })] });
		expect(manager.status).toBe('degraded');
		expect(health).toMatchObject({ status: 'degraded', served: 1, causes: [{ kind: 'discord-refused', shardIds: [0] }] });
		expect(shards).toMatchObject([
			{ status: 'disconnected', ready: false, since: nowMs - 7000 },
			{ status: 'ready', ready: true, since: nowMs - 90_000 },
		]);
	});

	it('B1: not while its session is disconnected', () => {
		const away: Partial<GatewaySessionStats> = {
			id: 0,
			shardIds: [0, 1],
			status: 'connecting',
			since: nowMs - 3000,
			lastClose: null,
		};
		const { manager, health, shards } = judged({ gateways: [gateway(away)] });
		expect([manager.status, health.status]).toEqual(['degraded', 'down']);
		expect(shards).toMatchObject([
			{ status: 'reconnecting', ready: false, since: nowMs - 3000 },
			{ status: 'reconnecting', ready: false },
		]);
	});

	it('B4: not from the second missed heartbeat of its worker on', () => {
		const silentFor = (ms: number) =>
			judged({ workers: [worker({ lastAnswerAt: nowMs - ms })] }).shards.map(({ status }) => status);
		expect(silentFor(9_900)).toEqual(['ready', 'ready']);
		expect(silentFor(10_100)).toEqual(['unresponsive', 'unresponsive']);
	});
});

it('B10: a risk degrades the health and not the status: every shard is served', () => {
	const snapshotFailure = { shardIds: [0], since: nowMs - 1000, error: 'ENOSPC', folder: '/state/fleet' };
	const { manager, health, shards } = judged({
		gateways: [{ ...gateway({ id: 0, shardIds: [0, 1], status: 'ready' }), snapshotFailure }],
	});
	expect(manager.status).toBe('running');
	expect(health).toMatchObject({ status: 'degraded', served: 2, causes: [{ kind: 'snapshots-failing' }] });
	expect(shards.every(({ ready }) => ready)).toBe(true);
});

it('reports a fleet without a plan as starting', () => {
	const { health, manager } = judged({ status: 'starting', shards: [], workers: [] });
	expect(manager.status).toBe('starting');
	expect(health).toMatchObject({ status: 'down', causes: [{ kind: 'starting', effect: 'progress' }] });
});
