// The workers of one manager: which there are, by id and by shard, how each is made, and which process is the worker while one takes
// over from another. How sessions are held is the mode's affair, which gives each process its ticket.

import { ShardctlError } from '@shardctl/core';
import type { ChildHandle, ChildSpec } from '@shardctl/supervisor';
import { heartbeatOf, ownerErrorLog } from '../children/child-rules.js';
import type { ReportListener, ReportSource } from '../children/report-source.js';
import type { ForeignSourceOptions, LocalGatewayView } from '../foreign/foreign-source.js';
import type { ResolvedManagerOptions } from '../options/manager-options.js';
import { ThreadWorkers } from '../threads/thread-workers.js';
import { BootGate } from './boot-gate.js';
import { BotVersion } from './bot-version.js';
import { ManagedWorker, type ManagedWorkerOptions } from './managed-worker.js';
import type { StartTicket } from './start-ticket.js';
import { type Incarnation, sampleIntervalMs, workerSpec } from './worker-spec.js';

type Foreign = typeof import('../foreign/foreign-workers.js');

/** How long a worker may take for its boot before others no longer wait for it. */
const longestBootMs = 15_000;

export interface WorkerFleetOptions {
	options: ResolvedManagerOptions;
	/** Before each fork; see `SessionMode.prepare`. */
	prepare(worker: ManagedWorker, signal: AbortSignal): Promise<StartTicket>;
	acquireIdentify: ManagedWorkerOptions['acquireIdentify'];
	serve: ManagedWorkerOptions['serve'];
	/** See `SessionMode.viewOf`. */
	viewOf(worker: ManagedWorker): LocalGatewayView | undefined;
	/** A call of a worker that is not Node.js into the fleet. */
	callOf: ForeignSourceOptions['call'];
	/** Where a worker finds Discord's REST API. */
	apiOf(workerId: number): string;
	/** A worker was made, and is not started: the time to listen to it. */
	onCreated(worker: ManagedWorker): void;
	/** A process that is ready is the worker from here on. */
	onPromoted(worker: ManagedWorker): void;
}

export class WorkerFleet {
	readonly #options: WorkerFleetOptions;
	readonly #bootGate: BootGate;
	/** Null where each worker is a process. */
	readonly #threads: ThreadWorkers | null;
	/** Loaded before the first start of a worker that is not Node.js. */
	#foreign: Foreign | undefined;
	#workers: readonly ManagedWorker[] = [];
	/** Processes beside the workers: a successor until it takes over, then its predecessor until that is gone. */
	readonly #standbys = new Set<ManagedWorker>();
	readonly #onTrial = new Set<ManagedWorker>();
	#nextId = 0;

	constructor(options: WorkerFleetOptions) {
		this.#options = options;
		const { clock, cores, workerMode, threadsPerProcess } = options.options;
		this.#threads = workerMode === 'thread' ? new ThreadWorkers({ threadsPerProcess }) : null;
		// Twice the cores: while one process reads its files, another can use the processor.
		this.#bootGate = new BootGate({ clock, places: cores * 2, longestBootMs });
	}

	/** In order of their first shard. */
	get workers(): readonly ManagedWorker[] {
		return this.#workers;
	}

	/** The workers and the processes beside them. */
	get all(): ManagedWorker[] {
		return [...this.#workers, ...this.#standbys];
	}

	byId(id: number): ManagedWorker | undefined {
		return this.#workers.find((worker) => worker.id === id);
	}

	ofShard(shardId: number): ManagedWorker | undefined {
		return this.#workers.find(({ shardIds }) => shardIds.includes(shardId));
	}

	/** Whether it is the worker of its id, and not a process beside it. */
	owns(worker: ManagedWorker): boolean {
		return this.byId(worker.id) === worker;
	}

	/**
	 * Whether what becomes of it decides about the fleet: not of a process beside a worker, and not of a worker whose new process a deploy
	 * watches. That is the affair of its hand-over, or of its deploy.
	 */
	decides(worker: ManagedWorker): boolean {
		return this.owns(worker) && !this.#onTrial.has(worker);
	}

	/** A deploy watches the new process of this worker, until the function returned is called. */
	beginTrial(worker: ManagedWorker): () => void {
		this.#onTrial.add(worker);
		return () => void this.#onTrial.delete(worker);
	}

	/**
	 * Adds one worker per slice, not started. With `byShard` its id is that of its first shard, which is the same on every node; `ids` gives the
	 * ids, where the slices have no shards.
	 */
	create({
		slices,
		totalShards,
		byShard = false,
		ids,
	}: {
		slices: readonly (readonly number[])[];
		totalShards: number;
		byShard?: boolean;
		ids?: readonly number[];
	}): readonly ManagedWorker[] {
		const created = slices.map((shardIds, index) =>
			this.#create(byShard ? (shardIds[0] as number) : (ids?.[index] ?? this.#nextId++), { shardIds, totalShards }),
		);
		this.#workers = [...this.#workers, ...created].sort((a, b) => (a.shardIds[0] ?? 0) - (b.shardIds[0] ?? 0) || a.id - b.id);
		return created;
	}

	/** Makes a second process for a worker, not started; see {@link promote} and {@link dismiss}. */
	createStandby(worker: ManagedWorker): ManagedWorker {
		const standby = this.#create(worker.id, worker, { before: worker });
		this.#standbys.add(standby);
		return standby;
	}

	/**
	 * Makes a worker for each slice of another shard count, beside the present ones and not started; see {@link replaceAll} and
	 * {@link dismiss}. Their ids begin at 0, as in a fleet that starts with that count.
	 */
	createBeside({
		slices,
		totalShards,
	}: {
		slices: readonly (readonly number[])[];
		totalShards: number;
	}): readonly ManagedWorker[] {
		const created = slices.map((shardIds, id) => {
			const before = this.byId(id);
			return this.#create(id, { shardIds, totalShards }, { ...(before && { before }), workers: slices.length });
		});
		for (const worker of created) this.#standbys.add(worker);
		return created;
	}

	/** These are the workers from here on, in order of their first shard. Returns those that were, which are beside them. */
	replaceAll(next: readonly ManagedWorker[]): readonly ManagedWorker[] {
		const before = this.#workers;
		for (const worker of next) this.#standbys.delete(worker);
		for (const worker of before) this.#standbys.add(worker);
		this.#workers = next;
		this.#nextId = Math.max(-1, ...next.map(({ id }) => id)) + 1;
		return before;
	}

	/** The standby is the worker from here on, and what was the worker is beside it. */
	promote(standby: ManagedWorker): void {
		const before = this.byId(standby.id);
		this.#standbys.delete(standby);
		if (before) this.#standbys.add(before);
		this.#workers = this.#workers.map((worker) => (worker === before ? standby : worker));
		this.#options.onPromoted(standby);
	}

	/** A process beside the workers is gone. */
	dismiss(standby: ManagedWorker): void {
		this.#standbys.delete(standby);
	}

	/** Stops workers for good: their shards are not this fleet's any more. */
	async remove(workers: readonly ManagedWorker[]): Promise<void> {
		this.#workers = this.#workers.filter((worker) => !workers.includes(worker));
		for (const worker of workers) this.#standbys.add(worker);
		await Promise.all(workers.map(({ child }) => child.stop()));
		for (const worker of workers) this.#standbys.delete(worker);
	}

	/** Stops every process; a second call with a smaller grace hastens the first. */
	async stop(options: { graceMs?: number }): Promise<void> {
		await Promise.all(this.all.map(({ child }) => child.stop(options)));
	}

	/** `before`: the process beside which it is made: it continues its lines, and knows its version. `workers`: how many there will be. */
	#create(
		workerId: number,
		{ shardIds, totalShards }: Pick<ManagedWorker, 'shardIds' | 'totalShards'>,
		{ before, workers }: { before?: ManagedWorker; workers?: number } = {},
	): ManagedWorker {
		const { options, acquireIdentify, serve, onCreated } = this.#options;
		const host = options.processHost ?? this.#threads;
		const version = new BotVersion(options, before?.version);
		const worker: ManagedWorker = new ManagedWorker({
			workerId,
			shardIds,
			totalShards,
			logger: options.logger,
			child: {
				policy: options.policy,
				clock: options.clock,
				readyTimeoutMs: options.readyTimeoutMs,
				shutdownGraceMs: options.shutdownGraceMs,
				heartbeat: heartbeatOf(options.heartbeatTimeoutMs),
				maxMemoryBytes: options.maxMemoryBytes,
				...(before ? { logs: before.child.logs } : {}),
				onOwnerError: ownerErrorLog(options.logger),
				...(host ? { host } : {}),
			},
			prepare: (signal) => this.#prepare(worker, signal),
			spec: (epoch, { gateway, leaseUntilMs }) =>
				this.#spec({
					workerId,
					epoch,
					shardIds,
					totalShards,
					workers: this.owns(worker) ? this.#workers.length : (workers ?? this.#workers.length),
					gateway,
					leaseUntilMs,
					api: this.#options.apiOf(workerId),
					paths: version.paths(),
				}),
			identifyWindowMs: options.identifyWindowMs,
			version,
			acquireIdentify,
			serve,
			foreign: options.program ? (of, child, listener) => this.#foreignSource(of, child, listener) : undefined,
		});
		onCreated(worker);
		return worker;
	}

	#spec(incarnation: Incarnation): ChildSpec {
		const { options } = this.#options;
		if (!options.program) return workerSpec(options, incarnation);
		return (this.#foreign as Foreign).foreignSpec(options, options.program, incarnation);
	}

	#foreignSource(worker: ManagedWorker, child: ChildHandle, listener: ReportListener): ReportSource {
		const { options, viewOf, callOf } = this.#options;
		const view = viewOf(worker);
		// The options do not allow it.
		if (!view) throw new ShardctlError('INTERNAL', 'a worker that is not Node.js has no gateway process');
		const { clock, logger } = options;
		const { id, label, shardIds, totalShards } = worker;
		return new (this.#foreign as Foreign).ForeignSource(
			{
				child,
				worker: { id, label, shardIds, totalShards },
				clock,
				logger,
				view,
				sampleIntervalMs: sampleIntervalMs(options),
				call: callOf,
			},
			listener,
		);
	}

	/** The mode's ticket, and then a place at the boot gate, which is left when the process has booted. */
	async #prepare(worker: ManagedWorker, signal: AbortSignal): Promise<StartTicket> {
		await this.#threads?.load();
		if (this.#options.options.program) this.#foreign ??= await import('../foreign/foreign-workers.js');
		const ticket = await this.#options.prepare(worker, signal);
		const leave = await this.#bootGate.enter(signal);
		const done = () => {
			worker.off('booted', done);
			signal.removeEventListener('abort', done);
			leave();
		};
		worker.on('booted', done);
		// The start may be cancelled as long as nothing was started.
		signal.addEventListener('abort', done, { once: true });
		if (signal.aborted) done();
		return ticket;
	}
}
