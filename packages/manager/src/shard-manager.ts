// The manager of one machine: the public API of a fleet, and the order in which its parts start and end. It puts the parts together and
// leaves the work to them; what happens to it as a whole is its lifecycle.
import { EventEmitter } from 'node:events';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { stateDir } from '@shardctl/control';
import type { Control } from '@shardctl/control/server';
import {
	type DeployOutcome,
	type DeployStats,
	every,
	type FleetCalls,
	type IdentifyBudgetState,
	type ManagerStats,
	type ManagerStatus,
	type RespawnAllOptions,
	readGuildId,
	readShardStatsOptions,
	ShardctlError,
	type ShardStats,
	shardIdForGuild,
} from '@shardctl/core';
import { Calls } from './calls/calls.js';
import { serveWorker } from './calls/serve-worker.js';
import { heartbeatOf } from './children/child-rules.js';
import type { DeployOptions } from './deploy/deploy-options.js';
import { Deploys } from './deploy/deploys.js';
import { hasMemory } from './deploy/memory.js';
import type { ShardManagerEvents } from './events.js';
import { HealthWatch } from './health/health-watch.js';
import { type FleetFigures, judgeFleet } from './health/judge-fleet.js';
import type { IdentifyWait } from './identify/coordinator.js';
import { LocalIdentifyCoordinator } from './identify/local-coordinator.js';
import { SessionStarts } from './identify/session-starts.js';
import { Lifecycle } from './lifecycle.js';
import { createSessionMode } from './modes/create-session-mode.js';
import { Replacements } from './modes/replacements.js';
import type { SessionMode } from './modes/session-mode.js';
import type { ResolvedManagerOptions } from './options/manager-options.js';
import { type Plan, planShards } from './plan/plan.js';
import { BotProblems } from './workers/bot-problems.js';
import type { ManagedWorker } from './workers/managed-worker.js';
import { ProcessRecords } from './workers/process-records.js';
import { RefusalPolicy } from './workers/refusal-policy.js';
import { workerShardStats, workerStats } from './workers/shard-stats.js';
import { type StartOutcome, type StartWatch, watchStart, workersFailed } from './workers/start-watch.js';
import { forwardWorkerEvents } from './workers/worker-events.js';
import { WorkerFleet } from './workers/worker-fleet.js';

const { version } = createRequire(import.meta.url)('../package.json') as { version: string };

/** How often Discord is asked for the day's session starts: another process may use the same token. */
const budgetRefreshMs = 3 * 60_000;

/** Takes the manager's name and serves its control API. */
type StartControl = (manager: ShardManager) => Promise<Control>;

interface StopOptions {
	graceMs?: number;
}

/** Made by {@link createShardManager}. */
export class ShardManager extends EventEmitter<ShardManagerEvents> implements FleetCalls, AsyncDisposable {
	readonly name: string;
	readonly #options: ResolvedManagerOptions;
	readonly #startControl: StartControl | null;
	readonly #lifecycle = new Lifecycle();
	/** Aborts when the manager stops, or when Discord refuses a worker during the start. */
	readonly #abort = new AbortController();
	readonly #starts: SessionStarts;
	readonly #workers: WorkerFleet;
	readonly #refusals: RefusalPolicy;
	readonly #problems: BotProblems;
	readonly #mode: SessionMode;
	readonly #replacements: Replacements;
	readonly #deploys: Deploys;
	readonly #calls: Calls<ManagedWorker>;
	readonly #processes: ProcessRecords;
	readonly #createdAt: number;
	#plan: Plan | undefined;
	#spawning: Promise<ShardStats[]> | undefined;
	#stopping: Promise<void> | undefined;
	/** Ends what is being ended now; a second `stop` hastens it. */
	#stopStage: (options: StopOptions) => Promise<void> = async () => {};
	#control: Control | undefined;
	/** Ends what keeps the budget up to date while sessions run. */
	#stopRefreshing: () => void = () => {};
	/** Reports changes of the fleet's health, from the start on until it stops. */
	#healthWatch: HealthWatch | undefined;
	#startWatch: StartWatch | undefined;

	/**
	 * @internal Use {@link createShardManager}.
	 * @param startControl Starts the control API of this manager; null for a manager without one.
	 */
	constructor(options: ResolvedManagerOptions, startControl: StartControl | null) {
		super();
		this.#startControl = startControl;
		const { api, token, clock, logger } = options;
		this.#options = options;
		this.name = options.name;
		this.#createdAt = clock.now();
		this.#starts = new SessionStarts({
			api,
			token,
			clock,
			coordinator: new LocalIdentifyCoordinator({ clock, reserve: options.identifyReserve, windowMs: options.identifyWindowMs }),
			onStale: (error) => logger.warn({ err: error }, 'Discord did not answer; going on with its last answer'),
		});
		this.#processes = new ProcessRecords({ clock, logger });
		this.#calls = new Calls<ManagedWorker>(this, options.callTimeoutMs);
		this.#workers = new WorkerFleet({
			options,
			prepare: (worker, signal) => this.#mode.prepare(worker, signal),
			acquireIdentify: (worker, shardId, signal) => this.#mode.acquireIdentify(worker, shardId, signal),
			serve: (peer) => serveWorker(peer, { calls: this.#calls, fleet: this }),
			onCreated: (worker) => this.#follow(worker),
			onPromoted: (worker) => this.#startWatch?.noteReady(worker.id),
		});
		this.#refusals = new RefusalPolicy({
			starts: this.#starts,
			workers: this.#workers,
			onRefused: (error) => {
				if (this.#lifecycle.state === 'starting') this.#abort.abort(error);
			},
			onAllFailed: (error) => {
				if (this.#lifecycle.state === 'running') this.emit('fleet:refused', { error });
			},
		});
		this.#problems = new BotProblems({ workers: this.#workers, refusals: this.#refusals, logger });
		this.#mode = createSessionMode({
			options,
			workers: this.#workers,
			starts: this.#starts,
			isRunning: () => this.#lifecycle.state === 'running',
			onRefused: (worker, error) => this.#refusals.refuse(worker, error),
			onFleetRefused: (error) => this.#refusals.refuseFleet(error),
			emit: (event, ...args) => this.emit(event, ...(args as never)),
		});
		this.#replacements = new Replacements({
			mode: this.#mode,
			workers: () => this.workers,
			clock,
			signal: this.#abort.signal,
			onProgress: (progress) => this.emit('restart:progress', progress),
		});
		this.#deploys = new Deploys({
			clock,
			signal: this.#abort.signal,
			workers: () => this.workers,
			replace: (worker, how) => this.#mode.deploy(worker, how),
			hasMemory,
			inTurn: (work) => void this.#replacements.inTurn(work).catch(() => {}),
			onChange: (deploy) => this.emit('deploy:progress', deploy.stats()),
		});
	}

	/** The workers in order of their first shard. */
	get workers(): readonly ManagedWorker[] {
		return this.#workers.workers;
	}

	/** Resolves when the manager has stopped, whatever stopped it. */
	get stopped(): Promise<void> {
		return this.#lifecycle.stopped;
	}

	/** Of shardctl. */
	get version(): string {
		return version;
	}

	/** Where the control API is served over TCP, and the file with its token where that was generated; only while it is served. */
	get controlAddress(): { url: string; tokenFile: string | undefined } | undefined {
		const { url, tokenFile } = this.#control ?? {};
		return url === undefined ? undefined : { url, tokenFile };
	}

	/** 0 before the plan is made. */
	get totalShards(): number {
		return this.#plan?.layout.totalShards ?? 0;
	}

	/**
	 * `degraded` when some shard of a running fleet is not ready, or a gateway process is missing. Only {@link getStats}, which asks
	 * the gateway processes, knows whether their sessions with Discord are up.
	 */
	get status(): ManagerStatus {
		const { state } = this.#lifecycle;
		if (state !== 'running') return state;
		const ready = this.workers.every((worker) => worker.shardIds.every((shardId) => worker.status(shardId) === 'ready'));
		return ready && this.#mode.health() === 'up' ? 'running' : 'degraded';
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
		await Promise.all(this.workers.map((worker) => worker.send(message)));
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
	 * `WORKER_NOT_READY` when a new process ends before it is ready, and leaves the rest unchanged. `restart:progress` reports each
	 * step. A second call begins when the first has ended. Also `MANAGER_STOPPED`.
	 */
	async respawnAll(options?: RespawnAllOptions): Promise<void> {
		return this.#replacements.all(options);
	}

	/**
	 * Replaces one worker; `true` once the new process is ready, `false` when it could not be. In resident mode the new process takes
	 * over from the old one, which keeps running otherwise.
	 */
	async replace(worker: ManagedWorker, reason: string): Promise<boolean> {
		return this.#replacements.one(worker, reason);
	}

	/** As {@link replace}; rejects with `WORKER_NOT_READY`, whose message has the reason, when it could not be. */
	replaceOrReject(worker: ManagedWorker, reason: string): Promise<void> {
		return this.#mode.replace(worker, { reason });
	}

	/**
	 * Resident mode: replaces every worker by a new process of the bot, without a gap, and watches each new process. Where one does not
	 * become ready, dies, or logs more errors than `maxErrorRate`, the deploy stops and the old version is brought back, and it rejects
	 * with `WORKER_NOT_READY`. `CALL_CANCELLED` when it was called off. `deploy:progress` reports each step. A second call begins when
	 * the first has ended. `OPTIONS_INVALID` in direct mode.
	 */
	async deploy(options?: DeployOptions): Promise<DeployOutcome> {
		return this.waitForDeploy(this.startDeploy(options).id);
	}

	/** As {@link deploy}, but returns at once. */
	startDeploy(options?: DeployOptions): DeployStats {
		if (!this.#mode.seamless) {
			throw new ShardctlError('OPTIONS_INVALID', 'a deploy needs gateway processes; start the fleet with gateway "resident"');
		}
		return this.#deploys.add(options).stats();
	}

	/** The end of a deploy; see {@link deploy}. */
	async waitForDeploy(id: number): Promise<DeployOutcome> {
		return this.#deploys.byId(id).outcome;
	}

	/** Calls off the deploy of this number, or the one that runs, at the next safe point. Throws `OPTIONS_INVALID` when there is none. */
	cancelDeploy(id?: number, options?: { onlyQueued?: boolean }): DeployStats {
		return this.#deploys.callOff(id, options).stats();
	}

	/** Resident mode: replaces the gateway processes one after the other. Discord and the workers keep their sessions. */
	restartGateways(): Promise<void> {
		return this.#mode.restartGateways();
	}

	/** The deploy that runs, or the last one. */
	deployStats(): ManagerStats['deploy'] {
		return this.#deploys.stats();
	}

	/** One entry per shard: from the workers' last samples, or with `fresh` from new ones of all that reply. */
	async getShardStats(options?: { fresh?: boolean }): Promise<ShardStats[]> {
		return (await this.getStats(options)).shards;
	}

	/** Everything about the fleet at once, as `shardctl stats --json` prints it. */
	async getStats(options?: { fresh?: boolean }): Promise<ManagerStats> {
		const { fresh } = readShardStatsOptions(options);
		if (fresh) {
			const asked = this.workers.map((worker) => worker.freshSample(Math.min(this.#options.callTimeoutMs, 2000)));
			await Promise.allSettled(asked);
		}
		const figures = await this.#figures();
		return judgeFleet(figures, { nowMs: this.#options.clock.now() });
	}

	async #figures(): Promise<FleetFigures> {
		const { clock, heartbeatTimeoutMs, maxMemoryBytes } = this.#options;
		const gateways = await this.#mode.stats(clock.now());
		const nowMs = clock.now();
		const rules = { heartbeat: heartbeatOf(heartbeatTimeoutMs), maxMemoryBytes };
		const deploy = this.deployStats();
		return {
			manager: {
				name: this.name,
				pid: process.pid,
				version,
				totalShards: this.totalShards,
				shardIds: this.#plan?.shardIds ?? [],
				workers: this.workers.length,
				startedAt: this.#createdAt,
				uptimeMs: Math.max(0, nowMs - this.#createdAt),
				status: this.status,
				identify: this.#starts.budget(),
				...(this.#options.simulator ? { simulator: this.#options.simulator } : {}),
			},
			shards: this.workers.flatMap((worker) => workerShardStats(worker, nowMs)),
			workers: this.workers.map((worker) => workerStats(worker, rules)),
			...(gateways ? { gateways } : {}),
			...(deploy ? { deploy } : {}),
		};
	}

	/** What is left of the day's session starts. */
	identifyBudget(): IdentifyBudgetState {
		return this.#starts.budget();
	}

	/** Which shards wait for an identify slot, and for how long at most. */
	identifyWaits(): IdentifyWait[] {
		return this.#mode.identifyWaits();
	}

	/**
	 * Stops every worker in parallel: asks, waits the grace, then ends by signal, and resolves when all processes are gone.
	 * A second call with a smaller grace hastens the first.
	 */
	stop(options: StopOptions = {}): Promise<void> {
		if (this.#stopping) void this.#stopStage(options);
		this.#stopping ??= this.#stop(options);
		return this.#stopping;
	}

	[Symbol.asyncDispose](): Promise<void> {
		return this.stop();
	}

	async #spawn(): Promise<ShardStats[]> {
		const { clock, loader, logger } = this.#options;
		const startedAt = clock.monotonic();
		if (this.#lifecycle.state !== 'idle') {
			throw new ShardctlError('MANAGER_STOPPED', 'this manager was stopped; create another one to start again');
		}
		this.#lifecycle.enter('starting');
		if (loader !== undefined) logger.info(`using ${loader} from the bot's dependencies`);
		this.#healthWatch = new HealthWatch({
			clock,
			health: async () => (await this.getStats()).health,
			onChange: (change) => this.emit('fleet:health', change),
		});
		let outcome: StartOutcome;
		try {
			outcome = await this.#start();
			this.#abort.signal.throwIfAborted();
		} catch (error) {
			await this.stop();
			throw this.#starts.refusal ?? error;
		}
		if (outcome.ready.length === 0) await this.stop();
		else {
			this.#lifecycle.enter('running');
			this.#stopRefreshing = every(clock, budgetRefreshMs, () => void this.#starts.refresh());
		}
		if (outcome.failed.size > 0) throw this.#starts.refusal ?? workersFailed(outcome);
		this.emit('fleet:ready', {
			shards: this.#plan?.shardIds.length ?? 0,
			workers: this.workers.length,
			tookMs: Math.round(clock.monotonic() - startedAt),
		});
		return this.getShardStats();
	}

	/** Everything up to the moment at which each worker is ready or given up. */
	async #start(): Promise<StartOutcome> {
		const { signal } = this.#abort;
		if (this.#startControl) {
			await this.#openControl(this.#startControl);
			// The name is this manager's: what an earlier one of that name left behind ends first.
			await this.#processes.adopt(join(stateDir(), `${this.name}.workers`), signal);
		}
		const info = await this.#starts.gateway();
		signal.throwIfAborted();
		const plan = planShards(this.#options, info);
		await this.#starts.checkStart(plan.sessionIds.length);
		this.#plan = plan;
		signal.throwIfAborted();
		await this.#mode.start(plan, signal);
		const workers = this.#workers.create({ slices: plan.slices, totalShards: plan.layout.totalShards });
		this.#startWatch = watchStart(workers, signal);
		for (const worker of workers) worker.child.start();
		return this.#startWatch.outcome;
	}

	async #stop(options: StopOptions): Promise<void> {
		this.#lifecycle.enter('stopping');
		this.#healthWatch?.stop();
		this.#stopRefreshing();
		this.#abort.abort(this.#starts.refusal ?? new ShardctlError('MANAGER_STOPPED', 'the manager was stopped'));
		// A smaller grace that was given meanwhile holds for what is ended later.
		let { graceMs } = options;
		for (const part of [this.#workers, this.#mode]) {
			this.#stopStage = (hastened) => {
				graceMs = hastened.graceMs ?? graceMs;
				return part.stop(hastened);
			};
			await part.stop(graceMs === undefined ? {} : { graceMs });
		}
		await this.#control?.close();
		this.#lifecycle.enter('stopped');
	}

	async #openControl(start: StartControl): Promise<void> {
		const control = await start(this);
		if (!this.#abort.signal.aborted) this.#control = control;
		// The manager was stopped meanwhile, without it.
		else await control.close();
		this.#abort.signal.throwIfAborted();
	}

	/** Listens to a worker for its whole life. */
	#follow(worker: ManagedWorker): void {
		const { clock } = this.#options;
		worker.child.on('ready', () => this.#mode.onReady(worker));
		forwardWorkerEvents(worker, clock, (event, ...args) => this.emit(event, ...(args as never)));
		this.#refusals.watch(worker);
		this.#problems.watch(worker);
		this.#processes.watch(worker.child);
	}
}
