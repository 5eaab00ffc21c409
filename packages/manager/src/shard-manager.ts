// The manager of one machine: plans the shards, runs one supervised worker per slice, and is the door through which everybody,
// from code, from a bot or from the command line, acts on the fleet.
import { EventEmitter } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stateDir } from '@shardctl/control';
import type { Control } from '@shardctl/control/server';
import {
	type FleetCalls,
	fatalCloseCodes,
	type IdentifyBudgetState,
	type ManagerStats,
	type ManagerStatus,
	messageOf,
	type RespawnAllOptions,
	readGuildId,
	readRespawnAllOptions,
	readShardStatsOptions,
	ShardctlError,
	type ShardReport,
	type ShardStats,
	shardIdForGuild,
} from '@shardctl/core';
import { Calls } from './calls/calls.js';
import { serveWorker } from './calls/serve-worker.js';
import { heartbeatOf } from './children/child-rules.js';
import type { ShardManagerEvents } from './events.js';
import type { IdentifySlot, IdentifyWait } from './identify/coordinator.js';
import { SessionStarts, type Starter } from './identify/session-starts.js';
import { ResidentMode } from './modes/resident-mode.js';
import type { ResolvedManagerOptions } from './options/manager-options.js';
import { type Plan, planShards } from './plan/plan.js';
import { BootGate } from './workers/boot-gate.js';
import { ManagedWorker } from './workers/managed-worker.js';
import { endLeftovers, WorkerRecord } from './workers/orphans.js';
import { type RestartableWorker, restartInTurn } from './workers/rolling-restart.js';
import { hasLostSessions, workerShardStats } from './workers/shard-stats.js';
import { watchStart } from './workers/start-watch.js';
import { forwardWorkerEvents } from './workers/worker-events.js';
import { workerSpec } from './workers/worker-spec.js';

/** How long a worker may take for its boot before others no longer wait for it. */
const longestBootMs = 15_000;

const { version } = createRequire(import.meta.url)('../package.json') as { version: string };

/** Takes the manager's name and serves its control API. */
type StartControl = (manager: ShardManager) => Promise<Control>;

/** Made by {@link createShardManager}. */
export class ShardManager extends EventEmitter<ShardManagerEvents> implements FleetCalls, AsyncDisposable {
	readonly name: string;
	readonly #options: ResolvedManagerOptions;
	readonly #startControl: StartControl | null;
	readonly #starts: SessionStarts;
	readonly #bootGate: BootGate;
	readonly #calls: Calls<ManagedWorker>;
	readonly #lifetime = new AbortController();
	readonly #createdAt: number;
	#workers: ManagedWorker[] = [];
	/** Undefined in direct mode. */
	#resident: ResidentMode | undefined;
	#plan: Plan | undefined;
	#status: 'idle' | 'starting' | 'running' | 'stopping' | 'stopped' = 'idle';
	#spawning: Promise<ShardStats[]> | undefined;
	#stopping: Promise<void> | undefined;
	#control: Control | undefined;
	/** The last restart of many; the next one begins when it has ended. */
	#restartingAll: Promise<void> = Promise.resolve();
	/** Where the workers' processes are written down, while this manager holds its name. */
	#record: WorkerRecord | undefined;
	/** Resolves when the manager has stopped, whoever stopped it. */
	readonly stopped: Promise<void>;
	#resolveStopped: () => void = () => {};

	/**
	 * @internal Use {@link createShardManager}.
	 * @param startControl Starts the control API of this manager; null for a manager without one.
	 */
	constructor(options: ResolvedManagerOptions, startControl: StartControl | null) {
		super();
		this.#startControl = startControl;
		this.stopped = new Promise((resolve) => {
			this.#resolveStopped = resolve;
		});
		const { api, token, clock, logger } = options;
		this.#options = options;
		this.name = options.name;
		this.#createdAt = clock.now();
		this.#starts = new SessionStarts({
			api,
			token,
			clock,
			reserve: options.identifyReserve,
			windowMs: options.identifyWindowMs,
			onStale: (error) => logger.warn({ err: error }, 'Discord did not answer; going on with its last answer'),
		});
		// Twice the cores: while one process reads its files, another can use the processor.
		this.#bootGate = new BootGate({ clock, places: options.cores * 2, longestBootMs });
		this.#calls = new Calls<ManagedWorker>(this, options.callTimeoutMs);
	}

	/** The workers in order of their first shard. */
	get workers(): readonly ManagedWorker[] {
		return this.#workers;
	}

	/** Of shardctl. */
	get version(): string {
		return version;
	}

	/** Where the control API is served over TCP, and the file with its token where that was made up; only while it is. */
	get controlAddress(): { url: string; tokenFile: string | undefined } | undefined {
		const { url, tokenFile } = this.#control ?? {};
		return url === undefined ? undefined : { url, tokenFile };
	}

	/** 0 before the plan is made. */
	get totalShards(): number {
		return this.#plan?.layout.totalShards ?? 0;
	}

	/**
	 * `degraded` when some shard of a fleet that was up is not ready, or a gateway process is not there. Whether the sessions of
	 * those that are there stand, only {@link getStats} knows, which asks them.
	 */
	get status(): ManagerStatus {
		if (this.#status !== 'running') return this.#status;
		const ready = this.#workers.every((worker) => worker.shardIds.every((shardId) => worker.status(shardId) === 'ready'));
		return ready && this.#resident?.isUp !== false ? 'running' : 'degraded';
	}

	/**
	 * Starts the fleet; resolves with one entry per shard once every shard is ready. A second call gets the same promise.
	 *
	 * Rejects with `TOKEN_INVALID` or `DISCORD_FATAL` when Discord refuses for good, `IDENTIFY_BUDGET` when the day has too few
	 * session starts left, `API_UNREACHABLE`, `MANAGER_RUNNING` when the name is taken, `MANAGER_STOPPED`, and `WORKERS_FAILED`
	 * when workers were given up. Then nothing is left running, except that with `WORKERS_FAILED` the other workers run on.
	 */
	spawn(): Promise<ShardStats[]> {
		this.#spawning ??= this.#spawn();
		return this.#spawning;
	}

	/** See {@link FleetCalls.broadcastEval}. */
	readonly broadcastEval: FleetCalls['broadcastEval'] = (script, target) => this.#calls.broadcastEval(script, target);

	/** See {@link FleetCalls.fetchClientValues}. */
	readonly fetchClientValues: FleetCalls['fetchClientValues'] = (path, target) => this.#calls.fetchClientValues(path, target);

	/** See {@link FleetCalls.call}. */
	readonly call: FleetCalls['call'] = (name, args, target) => this.#calls.call(name, args, target);

	/** Sends a message to the `process.on('message')` of the worker that owns a shard. */
	async send(shardId: number, message: unknown): Promise<void> {
		return this.#calls.ownerOf(shardId).send(message);
	}

	/** Sends a message to every worker's `process.on('message')`. */
	async broadcast(message: unknown): Promise<void> {
		await Promise.all(this.#workers.map((worker) => worker.send(message)));
	}

	/** The shard that receives a guild's events. Throws `OPTIONS_INVALID`, and `WORKER_UNAVAILABLE` before the shards are planned. */
	shardIdForGuild(guildId: string | bigint): number {
		const id = typeof guildId === 'bigint' ? String(guildId) : guildId;
		if (this.totalShards > 0) return shardIdForGuild(readGuildId(id), this.totalShards);
		throw new ShardctlError('WORKER_UNAVAILABLE', 'the shards are not planned yet: call spawn() first');
	}

	/** Replaces the worker that owns a shard; `true` once it is ready again, `false` when it could not be. */
	async respawnShard(shardId: number): Promise<boolean> {
		return this.replace(this.#calls.ownerOf(shardId), 'respawn requested');
	}

	/**
	 * Replaces every worker. Rolling (the default): `parallel` at a time, the next only after the last is ready. Rejects with
	 * `WORKER_NOT_READY` when a new process ends before it is ready, and leaves the rest untouched. Progress is told by
	 * `restart:progress`. A second call begins when the first has ended. Also `MANAGER_STOPPED`.
	 */
	async respawnAll(options?: RespawnAllOptions): Promise<void> {
		const { rolling = true, parallel = 1, delayMs = 0 } = readRespawnAllOptions(options);
		// Two at a time would take down twice as many workers as either allowed.
		const restarted = this.#restartingAll.then(() =>
			restartInTurn(
				this.#workers.map((worker) => this.#restartable(worker)),
				{
					parallel: rolling ? parallel : this.#workers.length,
					delayMs,
					clock: this.#options.clock,
					signal: this.#lifetime.signal,
					onProgress: (progress) => this.emit('restart:progress', progress),
				},
			),
		);
		this.#restartingAll = restarted.catch(() => {});
		return restarted;
	}

	/**
	 * Replaces one worker; `true` once the new process is ready, `false` when it could not be. In resident mode the new process
	 * takes over from the old one, which otherwise carries on.
	 */
	async replace(worker: ManagedWorker, reason: string): Promise<boolean> {
		if (!this.#resident) return worker.restart(reason);
		return this.#resident.deploy(worker).then(
			() => true,
			(error: unknown) => {
				if (ShardctlError.is(error) && error.code === 'WORKER_NOT_READY') return false;
				throw error;
			},
		);
	}

	/**
	 * Resident mode: replaces every worker by a new process of the bot, `parallel` at a time, without a gap. Rejects with
	 * `WORKER_NOT_READY` when a new process does not become ready: the old one carries on there, and the rest is left untouched.
	 * Progress is told by `restart:progress`. `OPTIONS_INVALID` in direct mode.
	 */
	async deploy({ parallel = 1 }: { parallel?: number } = {}): Promise<void> {
		if (!this.#resident) {
			throw new ShardctlError('OPTIONS_INVALID', 'a deploy needs gateway processes: start the fleet with gateway "resident"');
		}
		await this.respawnAll({ rolling: true, parallel });
	}

	/** Resident mode: replaces the gateway processes one after the other. Discord and the workers keep their sessions. */
	async restartGateways(): Promise<void> {
		if (this.#resident) return this.#resident.restartGateways();
		throw new ShardctlError('OPTIONS_INVALID', 'there are no gateway processes: start the fleet with gateway "resident"');
	}

	/** One entry per shard. By default from what workers pushed last; `fresh` asks them now and waits for those that answer. */
	async getShardStats(options?: { fresh?: boolean }): Promise<ShardStats[]> {
		const { fresh } = readShardStatsOptions(options);
		if (fresh) {
			const asked = this.#workers.map((worker) => worker.freshSample(Math.min(this.#options.callTimeoutMs, 2000)));
			await Promise.allSettled(asked);
		}
		const now = this.#options.clock.now();
		return this.#workers.flatMap((worker) => workerShardStats(worker, now));
	}

	/** Everything about the fleet at once, as `shardctl stats --json` prints it. */
	async getStats(options?: { fresh?: boolean }): Promise<ManagerStats> {
		const shards = await this.getShardStats(options);
		const gateways = await this.#resident?.stats(this.#options.clock.now());
		const { status } = this;
		return {
			manager: {
				name: this.name,
				pid: process.pid,
				version,
				totalShards: this.totalShards,
				shardIds: this.#plan?.shardIds ?? [],
				workers: this.#workers.length,
				startedAt: this.#createdAt,
				uptimeMs: Math.max(0, this.#options.clock.now() - this.#createdAt),
				status: status === 'running' && gateways?.some(hasLostSessions) ? 'degraded' : status,
				identify: this.#starts.budget(),
			},
			shards,
			...(gateways ? { gateways } : {}),
		};
	}

	/** What is left of the day's session starts. */
	identifyBudget(): IdentifyBudgetState {
		return this.#starts.budget();
	}

	/** Which shards wait for an identify slot, and for how long at most. */
	identifyWaits(): IdentifyWait[] {
		const waits = this.#starts.waits();
		const resident = this.#resident;
		return resident ? waits.flatMap((wait) => resident.shardsOf(wait.shardId).map((shardId) => ({ ...wait, shardId }))) : waits;
	}

	/**
	 * Stops every worker in parallel: asks, waits the grace, then ends by signal, and resolves when all processes are gone.
	 * A second call with a smaller grace hastens the first.
	 */
	stop({ graceMs }: { graceMs?: number } = {}): Promise<void> {
		if (this.#stopping) {
			for (const worker of this.#workers) void worker.child.stop(graceMs === undefined ? {} : { graceMs });
			return this.#stopping;
		}
		this.#stopping = this.#stop(graceMs);
		return this.#stopping;
	}

	[Symbol.asyncDispose](): Promise<void> {
		return this.stop();
	}

	async #spawn(): Promise<ShardStats[]> {
		const { clock } = this.#options;
		const startedAt = clock.monotonic();
		if (this.#status !== 'idle')
			throw new ShardctlError('MANAGER_STOPPED', 'this manager was stopped; make a new one to start again');
		this.#status = 'starting';
		try {
			if (this.#startControl) {
				this.#control = await this.#startControl(this);
				await this.#takeOver();
			}
			const info = await this.#starts.gateway();
			this.#lifetime.signal.throwIfAborted();
			this.#plan = planShards(this.#options, info);
			this.#starts.checkStart(this.#plan.sessionIds.length);
			this.#resident = this.#createResidentMode(this.#plan);
			await this.#resident?.start();
			this.#workers = this.#plan.slices.map((slice, index) => this.#createWorker(index, slice, this.#plan as Plan));
			const started = watchStart(this.#workers, this.#lifetime.signal);
			for (const worker of this.#workers) worker.child.start();
			await started;
		} catch (error) {
			const survivors = ShardctlError.is(error) && error.code === 'WORKERS_FAILED' ? (error.details.survivors as number) : 0;
			if (survivors > 0) this.#status = 'running';
			else await this.stop();
			throw this.#starts.refusal ?? error;
		}
		this.#status = 'running';
		this.emit('fleet:ready', {
			shards: this.#plan.shardIds.length,
			workers: this.#workers.length,
			tookMs: Math.round(clock.monotonic() - startedAt),
		});
		return this.getShardStats();
	}

	async #stop(graceMs: number | undefined): Promise<void> {
		const wasIdle = this.#status === 'idle';
		this.#status = 'stopping';
		this.#lifetime.abort(this.#starts.refusal ?? new ShardctlError('MANAGER_STOPPED', 'the manager was stopped'));
		const options = graceMs === undefined ? {} : { graceMs };
		await Promise.all([...this.#workers.map(({ child }) => child.stop(options)), this.#resident?.stopBeside(options)]);
		await this.#resident?.stopGateways(options);
		if (!wasIdle) await this.#control?.close();
		this.#status = 'stopped';
		this.#resolveStopped();
	}

	/** The name is ours: what an earlier manager of this name left behind ends, and our own workers are written down. */
	async #takeOver(): Promise<void> {
		const { clock, logger } = this.#options;
		const path = join(stateDir(), `${this.name}.workers`);
		await endLeftovers(path, { clock, logger, signal: this.#lifetime.signal });
		this.#record = new WorkerRecord(path);
	}

	#createWorker(workerId: number, shardIds: readonly number[], { layout: { totalShards } }: Plan): ManagedWorker {
		const options = this.#options;
		const resident = this.#resident;
		const worker: ManagedWorker = new ManagedWorker({
			workerId,
			shardIds,
			child: {
				spec: (epoch) => {
					const gateway = resident?.infoFor(worker) ?? this.#starts.lastGateway;
					return workerSpec(options, { workerId, epoch, shardIds, totalShards, gateway });
				},
				policy: options.policy,
				clock: options.clock,
				readyTimeoutMs: options.readyTimeoutMs,
				shutdownGraceMs: options.shutdownGraceMs,
				heartbeat: heartbeatOf(options.heartbeatTimeoutMs),
				maxMemoryBytes: options.maxMemoryBytes,
				beforeSpawn: (signal) => this.#beforeSpawn(worker, signal),
				...(options.processHost ? { host: options.processHost } : {}),
			},
			acquireIdentify: (_, shardId, signal) =>
				resident
					? Promise.resolve(localSlot(shardId, () => resident.noteSent(worker)))
					: this.#starts.acquireIdentify(shardId, this.#starter(worker, { restart: worker.child.epoch > 1 }), signal),
			serve: (peer) => serveWorker(peer, { calls: this.#calls, fleet: this }),
		});
		worker.child.on('ready', () => resident?.noteReady(worker));
		forwardWorkerEvents(worker, options.clock, (event, ...args) => this.emit(event, ...(args as never)));
		worker.on('shard.status', (report) => this.#stopOnFatalClose(worker, report));
		worker.on('unattached', () => {
			this.#options.logger.warn(
				`${worker.label}: the bot's discord.js is out of reach, as in a bundle, so its shards cannot be seen to be ready: leave ` +
					'discord.js out of the bundle, or call attach(client) from shardctl/worker before client.login()',
			);
		});
		worker.child.on('failed', () => this.#checkRefused());
		worker.child.on('spawned', ({ pid }) => this.#record?.add(pid));
		worker.child.on('exited', ({ pid }) => {
			if (pid !== null) this.#record?.remove(pid);
		});
		return worker;
	}

	#createResidentMode(plan: Plan): ResidentMode | undefined {
		const { gateway: resident } = this.#options;
		if (!resident) return undefined;
		return new ResidentMode({
			options: this.#options,
			resident,
			plan,
			snapshotFolder: this.#snapshotFolder(),
			gatewayInfo: () => this.#starts.lastGateway,
			signal: this.#lifetime.signal,
			workers: () => this.#workers,
			createWorker: (workerId, shardIds) => this.#createWorker(workerId, shardIds, plan),
			replaceWorker: (old, successor) => {
				this.#workers = this.#workers.map((worker) => (worker === old ? successor : worker));
			},
			acquireIdentify: (session, owner, signal) =>
				this.#starts.acquireIdentify(session, owner ? this.#starter(owner, { restart: false }) : noStarter, signal),
			emit: (event, ...args) => this.emit(event, ...(args as never)),
		});
	}

	/** Beside the lock on the name, where there is one: without it another manager of that name may live at the same time. */
	#snapshotFolder(): string {
		if (this.#options.control) return join(stateDir(), `${this.name}.gateways`);
		const folder = mkdtempSync(join(tmpdir(), 'shardctl-gateways-'));
		void this.stopped.then(() => rmSync(folder, { recursive: true, force: true }));
		return folder;
	}

	/** One failed replacement is enough to stop: the policy goes on with it while the rest stays as it is. */
	#restartable(worker: ManagedWorker): RestartableWorker {
		const { id, shardIds, label, child } = worker;
		let trouble: string | undefined;
		return {
			id,
			shardIds,
			label,
			restart: async () => {
				if (!this.#resident) return worker.restart('restart of all requested', { giveUpAfterExits: 1 });
				try {
					await this.#resident.deploy(worker);
					return true;
				} catch (error) {
					trouble = messageOf(error);
					return false;
				}
			},
			trouble: () => trouble ?? child.lastExit?.message ?? `it is ${child.state}`,
		};
	}

	/** Before each fork: a restart needs Discord's leave and the budget; then every fork waits for a place at the boot gate. */
	async #beforeSpawn(worker: ManagedWorker, signal: AbortSignal): Promise<void> {
		if (this.#resident) {
			await this.#resident.prepareFork(worker, signal);
		} else if (worker.child.epoch > 0) {
			await this.#starts.beforeRestart(worker.shardIds.length, this.#starter(worker, { restart: true }), signal);
		}
		const leave = await this.#bootGate.enter(signal);
		const done = () => {
			worker.off('booted', done);
			signal.removeEventListener('abort', done);
			leave();
		};
		worker.on('booted', done);
		// The start may be called off as long as nothing was started.
		signal.addEventListener('abort', done, { once: true });
		if (signal.aborted) done();
	}

	/** The first start of each worker, and a restart that somebody asked for, may spend the whole budget. */
	#starter(worker: ManagedWorker, { restart }: { restart: boolean }): Starter {
		return {
			automatic: (restart || this.#status === 'running') && !worker.restartRequested,
			onRefused: (error) => this.#refuse(worker, error),
			onDeferred: ({ remaining, resetAt }) =>
				this.emit('identify:deferred', { workerId: worker.id, shardIds: worker.shardIds, remaining, resetAt }),
		};
	}

	#stopOnFatalClose(worker: ManagedWorker, { shardId, status, closeCode }: ShardReport): void {
		const why = status === 'disconnected' && closeCode !== undefined ? fatalCloseCodes.get(closeCode) : undefined;
		if (why === undefined || this.#resident?.isBeside(worker)) return;
		this.#refuse(
			worker,
			new ShardctlError('DISCORD_FATAL', `Discord closed shard ${shardId} with ${closeCode}: ${why}. No retry can mend that`, {
				details: { shardId, closeCode },
			}),
		);
	}

	/** Discord will not have this worker's session whatever is tried: it ends now, and nobody identifies again. */
	#refuse(worker: ManagedWorker, error: ShardctlError): void {
		this.#starts.refuse(error);
		worker.child.fail('fatal', error);
		if (this.#status === 'starting') this.#lifetime.abort(error);
	}

	/** Once Discord has refused, workers that fail do not come back; the last one's failure is the fleet's. */
	#checkRefused(): void {
		const error = this.#starts.refusal;
		if (!error || this.#status !== 'running') return;
		if (this.#workers.every(({ child }) => child.state === 'failed')) this.emit('fleet:refused', { error });
	}
}

/** The sessions of a restart that nobody in particular waits for. */
const noStarter: Starter = { automatic: true, onDeferred: () => {}, onRefused: () => {} };

/** Permission to identify with the local gateway, which needs none. */
function localSlot(shardId: number, sent: () => void): IdentifySlot {
	return { id: 0, shardId, sent, confirmed: () => {}, release: () => {}, abandon: () => {} };
}
