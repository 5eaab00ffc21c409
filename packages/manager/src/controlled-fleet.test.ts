import { EventEmitter } from 'node:events';
import type { FleetEventBody, LogEntry } from '@shardctl/control';
import { ShardctlError } from '@shardctl/core';
import { fakeClock } from '@shardctl/test-support';
import { pino } from 'pino';
import { expect, it } from 'vitest';
import { controlledFleet } from './controlled-fleet.js';
import type { ShardManager } from './shard-manager.js';

const sample = { shards: [], rssBytes: 1 };

/** A worker with the members that the control API reads. */
function worker(id: number, shardIds: number[], child: object) {
	const figures = { sample, cpuSeconds: 2, pendingCalls: 1 };
	return {
		id,
		shardIds,
		label: `worker ${id}`,
		status: (shardId: number) => (shardId === 1 ? 'waiting' : 'ready'),
		child,
		...figures,
	};
}

const living = { state: 'ready', pid: 9, startedAt: 5, restarts: 1, lastExit: null };
const dead = { state: 'backing-off', pid: null, startedAt: null, restarts: 2, lastExit: { reason: 'signal' } };

function fleetOf(workers: object[]) {
	const replaced: unknown[][] = [];
	const manager = Object.assign(new EventEmitter(), {
		name: 'fleet',
		version: '1',
		totalShards: 4,
		workers,
		replaceOrReject: async (...args: unknown[]) => void replaced.push(args),
	});
	return {
		manager,
		replaced,
		fleet: controlledFleet(manager as unknown as ShardManager, fakeClock(7000), pino({ level: 'silent' })),
	};
}

it('returns workers as plain data, without the figures of a process that is gone', async () => {
	const { fleet } = fleetOf([worker(0, [0, 1], living), worker(1, [2], dead)]);
	const views = await fleet.getWorkers();
	expect(views).toMatchObject([
		{
			id: 0,
			label: 'worker 0',
			shardIds: [0, 1],
			statuses: ['ready', 'waiting'],
			pid: 9,
			sample,
			cpuSeconds: 2,
			pendingCalls: 1,
		},
		{ id: 1, statuses: ['ready'], pid: null, startedAt: null, restarts: 2, lastExit: { reason: 'signal' }, cpuSeconds: 2 },
	]);
	expect(views[1]?.sample).toBeUndefined();
	expect(JSON.parse(JSON.stringify(views))).toMatchObject([{ id: 0 }, { id: 1 }]);
});

it('replaces the worker that has the id now', async () => {
	const { fleet, manager, replaced } = fleetOf([worker(0, [0], living)]);
	const successor = worker(0, [0], living);
	manager.workers = [successor];
	expect(await fleet.replaceWorker(0, 'why')).toBe(true);
	expect(await fleet.replaceWorker(3, 'why')).toBe(false);
	expect(replaced).toEqual([[successor, 'why']]);
});

it('merges the last lines of the workers by time, and stamps new lines with the clock', async () => {
	const log = (at: number, line: string) => ({ at, stream: 'stdout', line });
	const workers = [
		worker(0, [0], { ...living, recentLogs: () => [log(1, 'a'), log(4, 'd')] }),
		worker(1, [1], { ...living, recentLogs: () => [log(2, 'b'), log(3, 'c')] }),
	];
	const { fleet, manager } = fleetOf(workers);
	expect((await fleet.recentLogs({})).map(({ line }) => line)).toEqual(['a', 'b', 'c', 'd']);
	expect(await fleet.recentLogs({ shard: 1 })).toMatchObject([{ workerId: 1, shardIds: [1], line: 'b' }, { line: 'c' }]);
	const lines: LogEntry[] = [];
	fleet.onLog((entry) => lines.push(entry));
	manager.emit('worker:log', { workerId: 0, shardIds: [0], stream: 'stderr', line: 'now' });
	expect(lines).toEqual([{ at: 7000, workerId: 0, shardIds: [0], stream: 'stderr', line: 'now' }]);
});

it('reports events as plain data: no message of a bot, no line, and only the public fields of an exit', () => {
	const { fleet, manager } = fleetOf([]);
	const events: FleetEventBody[] = [];
	fleet.onEvent((event) => events.push(event));
	const ref = { workerId: 0, shardIds: [0] };
	manager.emit('worker:ready', { ...ref, tookMs: 5 });
	manager.emit('message', { ...ref, message: 'secret' });
	manager.emit('worker:log', { ...ref, stream: 'stdout', line: 'x' });
	manager.emit('worker:state', { ...ref, from: 'starting', to: 'ready' });
	const exit = {
		reason: 'signal',
		message: 'killed',
		code: null,
		signal: 'SIGKILL',
		pid: 9,
		uptimeMs: 3,
		stderrTail: [],
		stack: [],
	};
	manager.emit('worker:exited', { ...ref, report: { ...exit, epoch: 4, spent: true } });
	manager.emit('fleet:refused', { error: new ShardctlError('DISCORD_FATAL', 'no') });
	expect(events).toEqual([
		{ type: 'worker:ready', ...ref, tookMs: 5 },
		{ type: 'worker:exited', ...ref, exit },
		{ type: 'fleet:refused', code: 'DISCORD_FATAL', message: 'no' },
	]);
});

it('records an event before an earlier listener reports it', () => {
	const { fleet, manager } = fleetOf([]);
	const order: string[] = [];
	manager.on('fleet:ready', () => order.push('reported'));
	manager.on('worker:exited', () => order.push('reported'));
	fleet.onEvent(({ type }) => order.push(`${type} recorded`));
	manager.emit('fleet:ready', { shards: 1, workers: 1, tookMs: 5 });
	manager.emit('worker:exited', { workerId: 0, shardIds: [0], report: {} });
	expect(order).toEqual(['fleet:ready recorded', 'reported', 'worker:exited recorded', 'reported']);
});
