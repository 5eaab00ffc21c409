import { describe, expect, it } from 'vitest';
import type { ManagedWorker } from '../src/workers/managed-worker.js';
import { obedientGateway, served } from './scripted-host.js';
import { keepsTheContractOfASessionMode, startMode } from './session-mode.contract.js';

describe('direct mode', () => {
	keepsTheContractOfASessionMode('direct');

	it('lets every process connect to Discord', async () => {
		const rig = await startMode('direct');
		await rig.startAll();
		expect(rig.processes.map(({ config }) => config.gateway.url)).toEqual(['ws://discord', 'ws://discord']);
		expect(rig.starts.budget().granted).toBe(4);
	});

	it('has no gateway processes to restart, and leaves a gap when it replaces a worker', async () => {
		const { mode } = await startMode('direct');
		expect(mode.seamless).toBe(false);
		await expect(mode.restartGateways()).rejects.toMatchObject({ code: 'OPTIONS_INVALID' });
	});
});

describe('resident mode', () => {
	keepsTheContractOfASessionMode('resident');

	it('gives each process its own number, which its gateway process knows before it is started', async () => {
		const rig = await startMode('resident');
		await rig.startAll();
		rig.processes[0]?.exit(1);
		await rig.until('the successor', () => rig.processes.length === 3);
		await rig.until('it to be ready', () => rig.workers.byId(0)?.child.state === 'ready');
		expect(rig.processes.map(({ config }) => /worker\/\d+/.exec(config.gateway.url)?.[0])).toEqual([
			'worker/1',
			'worker/2',
			'worker/3',
		]);
		expect(rig.asked.filter(({ method }) => method === 'worker.expect').map(({ params }) => params)).toEqual([
			{ incarnation: 1, shardIds: [0, 1], totalShards: 4, crashed: false },
			{ incarnation: 2, shardIds: [2, 3], totalShards: 4, crashed: false },
			{ incarnation: 3, shardIds: [0, 1], totalShards: 4, crashed: true },
		]);
		expect(rig.asked.filter(({ method }) => method === 'worker.ready')).toHaveLength(3);
	});

	it('spends no session start on what workers identify', async () => {
		const rig = await startMode('resident');
		await rig.startAll();
		rig.processes[0]?.exit(1);
		await rig.until('the exit', () => rig.workers.byId(0)?.child.lastExit !== null);
		expect(rig.workers.byId(0)?.child.lastExit?.spent).toBe(false);
		expect(rig.starts.budget().granted).toBe(0);
	});

	it('keeps the old process and its number when a replacement fails, and reports it', async () => {
		const rig = await startMode('resident');
		await rig.startAll();
		const before = rig.pid(0);
		rig.script = ({ exit }) => exit(7);
		await expect(rig.settled(rig.mode.replace(rig.workers.byId(0) as ManagedWorker, { reason: 'a test' }))).rejects.toMatchObject(
			{ details: { rolledBack: true } },
		);
		expect(rig.pid(0)).toBe(before);
		expect(rig.events).toContain('worker:rolled-back');
		expect(rig.asked.at(-1)).toMatchObject({ method: 'handover.abort', params: { incarnation: 3, shardIds: [0, 1] } });
	});

	it('replaces one worker at a time on concurrent requests, and each time the current process', async () => {
		const rig = await startMode('resident');
		await rig.startAll();
		const worker = rig.workers.byId(0) as ManagedWorker;
		const reason = 'a test';
		await rig.settled(Promise.all([rig.mode.replace(worker, { reason }), rig.mode.replace(worker, { reason })]));
		expect(rig.asked.filter(({ method }) => method === 'handover.commit').map(({ params }) => params)).toEqual([
			{ incarnation: 3, shardIds: [0, 1] },
			{ incarnation: 4, shardIds: [0, 1] },
		]);
		expect(rig.processes.filter(({ gone }) => !gone.aborted)).toHaveLength(2);
	});

	it.each([
		['does not answer', { sessions: [], shards: [] }, /gateway process 0 .* does not answer/],
		['has no connection of the new process', undefined, /shard 0 has no connection to its gateway process/],
	])('rejects a replacement while the gateway process %s', async (_, figures, reason) => {
		const rig = await startMode('resident');
		rig.gatewayScript = (process) => {
			obedientGateway(process);
			const { sessions, shards } = served(process.config);
			const unserved = figures ?? { sessions, shards: shards.map((shard) => ({ ...shard, worker: 'none' as const })) };
			process.peer.handle('stats', () => ({ rssBytes: 1, cpuSeconds: 1, ...unserved }));
		};
		await rig.startAll();
		await rig.settled(rig.mode.restartGateways()).catch(() => {});
		await expect(rig.settled(rig.mode.replace(rig.workers.byId(0) as ManagedWorker, { reason: 'a test' }))).rejects.toMatchObject(
			{
				code: 'WORKER_NOT_READY',
				message: expect.stringMatching(reason),
			},
		);
	});

	it('sends the next gateway process the current worker processes, and is degraded until then', async () => {
		const rig = await startMode('resident');
		await rig.startAll();
		const known: unknown[] = [];
		rig.gatewayScript = (process) => {
			known.push(process.config.workers);
			obedientGateway(process);
		};
		const restarted = rig.mode.restartGateways();
		await rig.until('the restart to begin', () => rig.mode.health() === 'degraded');
		await rig.settled(restarted);
		expect(rig.mode.health()).toBe('up');
		expect(known).toEqual([
			[
				{ incarnation: 1, shardIds: [0, 1], ready: true },
				{ incarnation: 2, shardIds: [2, 3], ready: true },
			],
		]);
	});

	it('names the workers that are not ready to the next gateway process, which holds their events', async () => {
		const rig = await startMode('resident');
		await rig.startAll();
		const known: unknown[] = [];
		rig.gatewayScript = (process) => {
			known.push(process.config.workers);
			obedientGateway(process);
		};
		rig.script = () => {};
		rig.processes[0]?.exit(1);
		await rig.until('the successor', () => rig.processes.length === 3);
		await rig.settled(rig.mode.restartGateways().catch(() => {}));
		expect(known).toEqual([
			[
				{ incarnation: 3, shardIds: [0, 1], ready: false },
				{ incarnation: 2, shardIds: [2, 3], ready: true },
			],
		]);
	});

	it('delays the process of a worker while its gateway process is not running', async () => {
		const rig = await startMode('resident');
		await rig.startAll();
		rig.gatewayScript = () => {};
		const restarted = rig.mode.restartGateways();
		restarted.catch(() => {});
		await rig.until('the restart to begin', () => rig.mode.health() === 'degraded');
		rig.processes[0]?.exit(1);
		await rig.until('the next start', () => rig.workers.byId(0)?.child.state === 'spawning');
		const abort = new AbortController();
		const prepared = rig.mode.prepare(rig.workers.byId(0) as ManagedWorker, abort.signal);
		abort.abort(new Error('cancelled'));
		await expect(rig.settled(prepared)).rejects.toThrow('cancelled');
		expect(rig.processes).toHaveLength(2);
	});
});
