// The manager of one machine: the public API of a fleet. It does nothing itself: the parts are in fleet-parts.ts, their start and end in
// fleet-life.ts.
import { EventEmitter } from 'node:events';
import { createRequire } from 'node:module';
import type { ClusterInfo, ServedFleet as ControlledFleet, DrainOutcome, DrainRequest, SessionMove } from '@shardctl/control';
import type { Control } from '@shardctl/control/server';
import {
	type DeployOutcome,
	type DeployStats,
	type FleetCalls,
	type IdentifyBudgetState,
	type IdentifyWait,
	type ManagerStats,
	type ManagerStatus,
	type ReshardOutcome,
	type ReshardRequest,
	type RespawnAllOptions,
	readGuildId,
	readRespawnAllOptions,
	readShardId,
	readShardStatsOptions,
	ShardctlError,
	type ShardStats,
	shardIdForGuild,
} from '@shardctl/core';
import type { Cluster } from './cluster/cluster.js';
import type { DeployOptions } from './deploy/deploy-options.js';
import { publishEvent } from './diagnostics/channels.js';
import type { EmitFleetEvent, ShardManagerEvents } from './events.js';
import { fleetFigures } from './fleet-figures.js';
import { FleetLife, type StopOptions } from './fleet-life.js';
import { createFleetParts, type FleetParts } from './fleet-parts.js';
import { judgeFleet } from './health/judge-fleet.js';
import { Lifecycle } from './lifecycle.js';
import type { ResolvedManagerOptions } from './options/manager-options.js';
import type { FleetQueue } from './queue/fleet-queue.js';
import type { ScaleOutcome } from './queue/queue-workers.js';
import { noReshardOfNode, noShardCountWithQueue, readReshardRequest } from './reshard/reshard-request.js';
import type { ManagedWorker } from './workers/managed-worker.js';

const { version } = createRequire(import.meta.url)('../package.json') as { version: string };

/** What bots write and send, and what follows from the health, does not change it. */
const eventsOfBots: ReadonlySet<keyof ShardManagerEvents> = new Set(['worker:log', 'message', 'fleet:health']);

export interface ShardManagerSetup {
	options: ResolvedManagerOptions;
	/** What this machine runs, as the control API and other nodes see it. */
	asFleet(manager: ShardManager): ControlledFleet;
	/** Takes the manager's name and serves its control API; null for a manager without one. */
	startControl: ((fleet: ControlledFleet) => Promise<Control>) | null;
}

/** Made by {@link createShardManager}. */
export class ShardManager extends EventEmitter<ShardManagerEvents> implements FleetCalls, AsyncDisposable {
	readonly name: string;
	readonly #options: ResolvedManagerOptions;
	readonly #createdAt: number;
	readonly #lifecycle = new Lifecycle();
	readonly #parts: FleetParts;
	readonly #life: FleetLife;
	#spawning: Promise<ShardStats[]> | undefined;

	/** @internal What this machine runs; without a cluster that is the whole fleet. */
	readonly fleet: ControlledFleet;

	/** @internal Use {@link createShardManager}. */
	constructor({ options, asFleet, startControl }: ShardManagerSetup) {
		super();
		this.#options = options;
		this.name = options.name;
		this.#createdAt = options.clock.now();
		const abort = new AbortController();
		const lifecycle = this.#lifecycle;
		const emit: EmitFleetEvent = (event, ...args) => {
			if (!eventsOfBots.has(event)) this.#life.noteEvent();
			publishEvent(this.name, event, args[0]);
			this.emit(event, ...(args as never));
		};
		const parts = createFleetParts({
			options,
			fleet: this,
			local: () => this.fleet,
			state: () => lifecycle.state,
			abort,
			version,
			onPromoted: (workerId) => this.#life.noteReady(workerId),
			onRefused: (error) => this.#life.noteFailure(error),
			emit,
		});
		this.#parts = parts;
		this.#life = new FleetLife({
			options,
			parts,
			lifecycle,
			abort,
			openControl: startControl && (() => startControl(this.fleet)),
			health: async () => (await this.localStats()).health,
			emit,
		});
		this.fleet = asFleet(this);
	}

	/**
	 * A listener that throws is a bug of the code that added it. The error becomes an uncaught exception, as with any emitter, but not inside
	 * of what emitted: the process that the event is about has nothing to do with it.
	 */
	override emit<E extends keyof ShardManagerEvents>(event: E, ...args: ShardManagerEvents[E]): boolean;
	override emit(event: keyof ShardManagerEvents, ...args: never): boolean {
		try {
			return super.emit(event, ...args);
		} catch (error) {
			queueMicrotask(() => {
				throw error;
			});
			return true;
		}
	}

	/** @internal The cluster that this manager is a node of; null on one machine. */
	get cluster(): Cluster | null {
		return this.#parts.cluster;
	}

	/** @internal Into the workers of this machine. */
	get localCalls(): Pick<FleetCalls, 'broadcastEval' | 'fetchClientValues' | 'call'> {
		return this.#parts.calls;
	}

	/** The workers of this machine in order of their first shard. */
	get workers(): readonly ManagedWorker[] {
		return this.#parts.workers.workers;
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
		const { url, tokenFile } = this.#life.control ?? {};
		return url === undefined ? undefined : { url, tokenFile };
	}

	/** 0 before the plan is made. */
	get totalShards(): number {
		return this.#life.plan?.layout.totalShards ?? 0;
	}

	/**
	 * `degraded` when some shard of a running fleet is not ready, or a gateway process is missing. Only {@link getStats}, which asks
	 * the gateway processes, knows whether their sessions with Discord are up.
	 */
	get status(): ManagerStatus {
		return this.#life.status;
	}

	/**
	 * Starts the fleet; resolves with one entry per shard once every shard is ready. A second call gets the same promise.
	 *
	 * Rejects with `TOKEN_INVALID` or `DISCORD_FATAL` when Discord refuses for good, `IDENTIFY_BUDGET` when the day has too few
	 * session starts left, `API_UNREACHABLE`, `MANAGER_RUNNING` when the name is taken, `MANAGER_STOPPED`, and `WORKERS_FAILED`
	 * when workers were given up. Then nothing is left running, except that with `WORKERS_FAILED` the other workers run on.
	 */
	spawn(): Promise<ShardStats[]> {
		this.#spawning ??= this.#life.spawn().then(() => this.getShardStats());
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
		if (this.cluster) return this.cluster.send(readShardId(shardId), message);
		return this.#parts.calls.ownerOf(shardId).send(message);
	}

	/** Sends a message to every worker's `process.on('message')`. */
	async broadcast(message: unknown): Promise<void> {
		if (this.cluster) return this.cluster.broadcast(message);
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
		if (this.cluster) return this.cluster.respawnShard(readShardId(shardId));
		return this.replace(this.#parts.calls.ownerOf(shardId), 'respawn requested');
	}

	/**
	 * Replaces every worker. Rolling (the default): `parallel` at a time, the next only after the last is ready. Rejects with
	 * `WORKER_NOT_READY` when a new process ends before it is ready, and leaves the rest unchanged. `restart:progress` reports each
	 * step. A second call begins when the first has ended. Also `MANAGER_STOPPED`.
	 */
	async respawnAll(options?: RespawnAllOptions): Promise<void> {
		if (this.cluster) return this.cluster.whole.respawnAll(readRespawnAllOptions(options));
		return this.localRespawnAll(options);
	}

	/** @internal The workers of this machine. */
	localRespawnAll(options?: RespawnAllOptions): Promise<void> {
		return this.#parts.replacements.all(options);
	}

	/**
	 * Replaces one worker; `true` once the new process is ready, `false` when it could not be. In resident mode the new process takes
	 * over from the old one, which keeps running otherwise.
	 */
	async replace(worker: ManagedWorker, reason: string): Promise<boolean> {
		return this.#parts.replacements.one(worker, reason);
	}

	/** As {@link replace}; rejects with `WORKER_NOT_READY`, whose message has the reason, when it could not be. */
	replaceOrReject(worker: ManagedWorker, reason: string): Promise<void> {
		return this.#parts.mode.replace(worker, { reason });
	}

	/**
	 * Resident mode: replaces every worker by a new process of the bot, without a gap, and watches each new process. Where one does not
	 * become ready, dies, or logs more errors than `maxErrorRate`, the deploy stops and the old version is brought back, and it rejects
	 * with `WORKER_NOT_READY`. `CALL_CANCELLED` when it was called off. `deploy:progress` reports each step. A second call begins when
	 * the first has ended. `OPTIONS_INVALID` in direct mode. In queue mode the old process is a member of its group beside the new one until then.
	 */
	async deploy(options?: DeployOptions): Promise<DeployOutcome> {
		return this.waitForDeploy(this.startDeploy(options).id);
	}

	/** As {@link deploy}, but returns at once. */
	startDeploy(options?: DeployOptions): DeployStats {
		return this.cluster ? this.cluster.whole.deploys.start(options) : this.localDeploy(options);
	}

	/** @internal Of the workers of this machine. */
	localDeploy(options?: DeployOptions): DeployStats {
		if (!this.#parts.mode.seamless) {
			throw new ShardctlError('OPTIONS_INVALID', 'a deploy needs gateway processes; start the fleet with gateway "resident"');
		}
		return this.#parts.deploys.add(options).stats();
	}

	/** The end of a deploy; see {@link deploy}. */
	async waitForDeploy(id: number): Promise<DeployOutcome> {
		return this.cluster ? this.cluster.whole.waitForDeploy(id) : this.localDeployOutcome(id);
	}

	/** @internal Of the workers of this machine. */
	async localDeployOutcome(id: number): Promise<DeployOutcome> {
		return this.#parts.deploys.byId(id).outcome;
	}

	/** Calls off the deploy of this number, or the one that runs, at the next safe point. Throws `OPTIONS_INVALID` when there is none. */
	async cancelDeploy(id?: number, options?: { onlyQueued?: boolean }): Promise<DeployStats> {
		return this.cluster ? this.cluster.whole.cancelDeploy(id, options) : this.localCancelDeploy(id, options);
	}

	/** @internal Of the workers of this machine. */
	localCancelDeploy(id?: number, options?: { onlyQueued?: boolean }): DeployStats {
		return this.#parts.deploys.callOff(id, options).stats();
	}

	/**
	 * Resident mode, or queue mode (sessions only; not a queue in a cluster): replaces the sessions with Discord by more or fewer, a whole
	 * multiple or part of them, while the workers run on, or with `shards` the workers by those of another shard count, again a whole multiple or part, while the sessions stay. The workers, old or new,
	 * receive every event once. Resolves when that is done; with `dryRun`, with what it would take. `reshard:progress` reports each step.
	 * Rejects with `RESHARD_COUNT`, `RESHARD_RUNNING`, `RESHARD_UNSUPPORTED` (in direct mode, with a queue in a cluster or for `shards`, in a cluster without shared state), `IDENTIFY_BUDGET`, and
	 * `RESHARD_FAILED` where it ended on the way: then another call continues or, with `undo`, returns.
	 */
	async reshard(request: ReshardRequest): Promise<ReshardOutcome> {
		if (this.cluster) return this.cluster.whole.reshard(request);
		return this.localReshard(request);
	}

	/** @internal Of this machine. */
	async localReshard(request: ReshardRequest): Promise<ReshardOutcome> {
		if (this.#options.queue && request?.shards !== undefined) throw noShardCountWithQueue();
		if (this.#options.cluster) throw noReshardOfNode();
		const { reshards, sizing } = this.#parts;
		return reshards.reshard(readReshardRequest(request), { onEffect: () => sizing.notePerson() });
	}

	/**
	 * With `gateway: 'queue'`: how many workers run from now on, in a cluster on each node that runs any. Resolves when new ones have joined
	 * their group, and those that are too many have finished and left it, with how many there were and are on all nodes. Rejects with `OPTIONS_INVALID`, and `WORKERS_FAILED` where new ones were given up.
	 */
	async scale(workers: number): Promise<ScaleOutcome> {
		const { cluster } = this;
		return cluster?.joined ? cluster.whole.scale(workers) : this.localScale(workers);
	}

	/** @internal Of the workers of this machine. */
	localScale(workers: number): Promise<ScaleOutcome> {
		return this.#parts.queueWorkers.scale(workers);
	}

	/** @internal The event queue; null where events do not go through one. */
	get queue(): FleetQueue | null {
		return this.#parts.queue;
	}

	/** Resident mode: replaces the gateway processes one after the other. Discord and the workers keep their sessions. */
	restartGateways(): Promise<void> {
		return this.cluster ? this.cluster.whole.restartGateways() : this.localRestartGateways();
	}

	/** @internal Those of this machine. */
	localRestartGateways(): Promise<void> {
		return this.#parts.mode.restartGateways();
	}

	/**
	 * Replaces the process that sends the requests to Discord's REST API; requests wait meanwhile. Throws `OPTIONS_INVALID` where each worker
	 * sends its own, and `WORKER_NOT_READY`.
	 */
	async restartRest(): Promise<void> {
		return this.cluster ? this.cluster.whole.restartRest() : this.localRestartRest();
	}

	/** @internal That of this machine. */
	async localRestartRest(): Promise<void> {
		const { service } = this.#parts.rest;
		if (service) return service.restart();
		throw new ShardctlError('OPTIONS_INVALID', 'this fleet has no REST process; start it with rest "shared" to have one');
	}

	/** The deploy that runs, or the last one. */
	deployStats(): ManagerStats['deploy'] {
		return this.#parts.deploys.stats();
	}

	/** One entry per shard: from the workers' last samples, or with `fresh` from new ones of all that reply. */
	async getShardStats(options?: { fresh?: boolean }): Promise<ShardStats[]> {
		return (await this.getStats(options)).shards;
	}

	/** Everything about the fleet at once, as `shardctl stats --json` prints it. */
	async getStats(options?: { fresh?: boolean }): Promise<ManagerStats> {
		const { cluster } = this;
		return cluster?.joined ? cluster.whole.getStats(readShardStatsOptions(options)) : this.localStats(options);
	}

	/** @internal Of this machine. */
	async localStats(options?: { fresh?: boolean }): Promise<ManagerStats> {
		const { fresh } = readShardStatsOptions(options);
		if (fresh) {
			const asked = this.workers.map((worker) => worker.freshSample(Math.min(this.#options.callTimeoutMs, 2000)));
			await Promise.allSettled(asked);
		}
		const figures = await fleetFigures(this.#parts, this.#options, () => ({
			name: this.name,
			version,
			totalShards: this.totalShards,
			shardIds: this.#life.plan?.shardIds ?? [],
			startedAt: this.#createdAt,
			status: this.status,
		}));
		return judgeFleet(figures, { nowMs: this.#options.clock.now() });
	}

	/** The nodes of the cluster. Rejects with `NOT_A_CLUSTER`, as the next three. */
	async nodes(): Promise<ClusterInfo> {
		return this.#needCluster().nodes();
	}

	/** Moves every session of a node to the others; see {@link FleetCluster.drain}. */
	async drain(request: DrainRequest = {}): Promise<DrainOutcome> {
		return this.#needCluster().drain(request);
	}

	/** Moves the session of a shard to a node; resolves when it is ready there. See {@link FleetCluster.move}. */
	async move(shardId: number, node: string, options: { signal?: AbortSignal } = {}): Promise<SessionMove & { moved: boolean }> {
		return this.#needCluster().move({ shardId: readShardId(shardId), node, ...options });
	}

	/** Evens out the nodes; resolves with the moves when they are done. */
	async rebalance(options: { dryRun?: boolean; signal?: AbortSignal } = {}): Promise<SessionMove[]> {
		return this.#needCluster().rebalance(options);
	}

	/** What is left of the day's session starts. */
	identifyBudget(): IdentifyBudgetState {
		return this.#parts.starts.budget();
	}

	/** Which shards wait for an identify slot, and for how long at most. */
	identifyWaits(): IdentifyWait[] {
		return this.#parts.mode.identifyWaits();
	}

	/**
	 * Stops every worker in parallel: asks, waits the grace, then ends by signal, and resolves when all processes are gone.
	 * A second call with a smaller grace hastens the first.
	 */
	stop(options: StopOptions = {}): Promise<void> {
		return this.#life.stop(options);
	}

	get #calls(): Pick<FleetCalls, 'broadcastEval' | 'fetchClientValues' | 'call'> {
		return this.cluster?.calls ?? this.localCalls;
	}

	#needCluster(): Cluster {
		if (this.cluster) return this.cluster;
		if (this.#options.cluster)
			throw new ShardctlError('WORKER_UNAVAILABLE', 'this node has not been started yet: call spawn() first');
		throw new ShardctlError(
			'NOT_A_CLUSTER',
			'this fleet runs on one machine; create the manager with the option cluster to have nodes',
		);
	}

	[Symbol.asyncDispose](): Promise<void> {
		return this.stop();
	}
}
