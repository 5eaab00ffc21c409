// What every session mode must satisfy, whichever process holds the sessions: run on each implementation by session-mode.test.ts. The fleet around
// the mode is the real one; its processes are scripted, and time is the test's.
import { fakeClock } from '@shardctl/test-support';
import { expect, it, onTestFinished, vi } from 'vitest';
import { LossLedger } from '../src/health/loss-ledger.js';
import { LocalIdentifyCoordinator } from '../src/identify/local-coordinator.js';
import { SessionStarts } from '../src/identify/session-starts.js';
import { createSessionMode } from '../src/modes/create-session-mode.js';
import type { SessionMode } from '../src/modes/session-mode.js';
import { resolveManagerOptions } from '../src/options/manager-options.js';
import { type Plan, planShards } from '../src/plan/plan.js';
import type { ManagedWorker } from '../src/workers/managed-worker.js';
import { WorkerFleet } from '../src/workers/worker-fleet.js';
import { obedientGateway, type ScriptedGateway, type ScriptedProcess, scriptedHost } from './scripted-host.js';

/** Logs in every shard, as a bot does, and keeps running. */
export async function wellBehaved({ config, peer }: ScriptedProcess): Promise<void> {
	for (const shardId of config.shardIds) {
		const slot = await peer.request('identify.acquire', { shardId }, { timeoutMs: 0 });
		peer.notify('identify.sent', slot);
		peer.notify('identify.confirmed', slot);
		peer.notify('shard.status', { shardId, status: 'ready' });
	}
}

export interface ModeRig {
	mode: SessionMode;
	workers: WorkerFleet;
	starts: SessionStarts;
	plan: Plan;
	/** Every worker process so far, oldest first. */
	processes: ScriptedProcess[];
	/** The requests to gateway processes, oldest first. */
	asked: { method: string; params: unknown }[];
	/** The names of the manager's events. */
	events: string[];
	living(): number;
	/** The script of worker processes from now on. */
	script: (process: ScriptedProcess) => void | Promise<void>;
	/** The script of gateway processes from now on. */
	gatewayScript: (process: ScriptedGateway) => void;
	/** Advances time until something holds. */
	until(what: string, holds: () => boolean): Promise<void>;
	/** Advances time until a promise is settled. */
	settled<T>(promise: Promise<T>): Promise<T>;
	startAll(): Promise<void>;
	pid(workerId: number): number | null | undefined;
	pendingTimers(): number;
}

/** A started mode, with two workers of two shards that are not started. */
export async function startMode(gateway: 'direct' | 'resident'): Promise<ModeRig> {
	const clock = fakeClock();
	const session_start_limit = { total: 1000, remaining: 1000, reset_after: 60_000, max_concurrency: 16 };
	vi.stubGlobal('fetch', async () => Response.json({ url: 'ws://discord', shards: 4, session_start_limit }));
	const stop = new AbortController();
	const host = scriptedHost(
		(process) => {
			rig.processes.push(process);
			// A request that fails with its process is no failure of the test.
			void Promise.resolve(rig.script(process)).catch(() => {});
		},
		(process) => rig.gatewayScript(process),
	);
	const options = {
		...resolveManagerOptions(import.meta.filename, {
			token: 'x',
			api: 'http://127.0.0.1:1/api',
			totalShards: 4,
			shardsPerWorker: 2,
			control: false,
			clock,
			heartbeatTimeoutMs: 0,
			gateway,
			respawn: { initialDelayMs: 10, maxDelayMs: 20 },
			logger: { info() {}, warn() {}, error() {} } as never,
		}),
		processHost: host,
	};
	const coordinator = new LocalIdentifyCoordinator({ clock, reserve: 50, windowMs: 5000 });
	const starts = new SessionStarts({ ...options, coordinator, onStale() {}, onRetry() {} });
	const workers: WorkerFleet = new WorkerFleet({
		options,
		prepare: (worker, signal) => mode.prepare(worker, signal),
		acquireIdentify: (worker, shardId, signal) => mode.acquireIdentify(worker, shardId, signal),
		serve() {},
		viewOf: (worker) => mode.viewOf(worker),
		callOf: async () => null,
		apiOf: () => options.api,
		onPromoted() {},
		onCreated: (worker) => void worker.child.on('ready', () => mode.onReady(worker)),
	});
	const events: string[] = [];
	const mode = createSessionMode({
		options,
		queue: null,
		workers,
		starts,
		isRunning: () => true,
		onRefused() {},
		onFleetRefused() {},
		emit: (event, ..._payload) => void events.push(event),
		losses: new LossLedger(clock),
		apiOfGateway: () => options.api,
	});
	const plan = planShards(options, await starts.gateway());
	const until = async (what: string, holds: () => boolean) => {
		for (let step = 0; step < 2000; step++) {
			if (holds()) return;
			await clock.advance(20);
			await new Promise(setImmediate);
		}
		throw new Error(`timed out waiting for ${what}`);
	};
	const rig: ModeRig = {
		mode,
		workers,
		starts,
		plan,
		processes: [],
		asked: [],
		events,
		living: () => host.living(),
		script: wellBehaved,
		gatewayScript: (process) => obedientGateway(process, (method, params) => rig.asked.push({ method, params })),
		until,
		async settled(promise) {
			let isSettled = false;
			const watched = promise.finally(() => {
				isSettled = true;
			});
			watched.catch(() => {});
			await until('a promise to be settled', () => isSettled);
			return watched;
		},
		async startAll() {
			for (const worker of workers.workers) worker.child.start();
			await until('the workers to be ready', () => workers.workers.every(({ child }) => child.state === 'ready'));
		},
		pid: (workerId) => workers.byId(workerId)?.child.pid,
		pendingTimers: () => clock.pendingTimers(),
	};
	onTestFinished(async () => {
		stop.abort(new Error('the test is over'));
		await rig.settled(workers.stop({ graceMs: 0 }));
		await rig.settled(mode.stop({ graceMs: 0 }));
		vi.unstubAllGlobals();
	});
	await rig.settled(mode.start(plan, stop.signal));
	workers.create({ slices: plan.slices, totalShards: plan.layout.totalShards });
	return rig;
}

/** The suite. */
export function keepsTheContractOfASessionMode(gateway: 'direct' | 'resident'): void {
	it('starts each process with the address of its gateway', async () => {
		const rig = await startMode(gateway);
		await rig.startAll();
		expect(rig.processes.map(({ config }) => config.shardIds)).toEqual([
			[0, 1],
			[2, 3],
		]);
		for (const { config } of rig.processes) expect(config.gateway.url).toMatch(/^ws:\/\//);
		expect(rig.mode.health()).toBe('up');
		expect(rig.mode.identifyWaits()).toEqual([]);
	});

	it('gives each identify its own slot', async () => {
		const rig = await startMode(gateway);
		const slots: number[] = [];
		rig.script = async (process) => {
			for (const shardId of process.config.shardIds) {
				const { slotId } = await process.peer.request('identify.acquire', { shardId }, { timeoutMs: 0 });
				slots.push(slotId);
				process.peer.notify('identify.released', { slotId });
			}
			await wellBehaved(process);
		};
		await rig.startAll();
		expect(new Set(slots).size).toBe(4);
	});

	it('rejects a request for a slot with the reason of its signal, and nothing else', async () => {
		const rig = await startMode(gateway);
		const reason = new Error('no longer wanted');
		const [worker] = rig.workers.workers as [ManagedWorker];
		await expect(rig.settled(rig.mode.acquireIdentify(worker, 0, AbortSignal.abort(reason)))).rejects.toBe(reason);
	});

	it('replaces a worker: resolves when the new process is ready, and the old one is gone then', async () => {
		const rig = await startMode(gateway);
		await rig.startAll();
		const before = [rig.pid(0), rig.pid(1)];
		const living = rig.living();
		await rig.settled(rig.mode.replace(rig.workers.byId(0) as ManagedWorker, { reason: 'a test' }));
		expect(rig.workers.byId(0)?.child.state).toBe('ready');
		expect(rig.pid(0)).not.toBe(before[0]);
		expect(rig.pid(1)).toBe(before[1]);
		expect(rig.living()).toBe(living);
		expect(rig.workers.all).toHaveLength(2);
		expect(rig.workers.workers.map(({ id }) => id)).toEqual([0, 1]);
	});

	it('rejects a replacement that does not become ready, and names the worker and the reason', async () => {
		const rig = await startMode(gateway);
		await rig.startAll();
		// Once only: how often the policy retries in that time depends on its jitter.
		rig.script = ({ exit }) => {
			rig.script = wellBehaved;
			exit(7);
		};
		const replaced = rig.mode.replace(rig.workers.byId(1) as ManagedWorker, { reason: 'a test', giveUpAfterExits: 1 });
		await expect(rig.settled(replaced)).rejects.toMatchObject({
			code: 'WORKER_NOT_READY',
			message: expect.stringMatching(/worker 1 \(shards 2-3\).*exit(ed with)? code 7/),
			details: { workerId: 1, shardIds: [2, 3] },
		});
		// Whichever process is the worker now, there is one, and it restarts.
		await rig.until('the worker to be ready', () => rig.workers.byId(1)?.child.state === 'ready');
		expect(rig.workers.all).toHaveLength(2);
	});

	it('prepares the next process of a worker that has crashed', async () => {
		const rig = await startMode(gateway);
		await rig.startAll();
		rig.processes[0]?.exit(1);
		await rig.until('its exit', () => rig.workers.byId(0)?.child.state !== 'ready');
		await rig.until('its successor', () => rig.workers.byId(0)?.child.state === 'ready');
		expect(rig.processes).toHaveLength(3);
		expect(rig.processes[2]?.config).toMatchObject({ workerId: 0, epoch: 2, shardIds: [0, 1] });
	});

	it('returns figures of gateway processes or none at all, and never rejects', async () => {
		const rig = await startMode(gateway);
		const stats = await rig.settled(rig.mode.stats(Date.now()));
		expect(stats?.map(({ id, shardIds }) => ({ id, shardIds }))).toEqual(
			rig.plan.gateways.length > 0 ? rig.plan.gateways.map((shardIds, id) => ({ id, shardIds })) : undefined,
		);
	});

	it('leaves nothing running and no timer when it is stopped, once or twice', async () => {
		const rig = await startMode(gateway);
		await rig.startAll();
		await rig.settled(rig.workers.stop({}));
		const ends = [rig.mode.stop({}), rig.mode.stop({ graceMs: 0 })];
		await rig.settled(Promise.all(ends));
		expect(rig.living()).toBe(0);
		expect(rig.pendingTimers()).toBe(0);
	});
}
