// One worker as the manager sees it: its supervised process, and what the present process reports of itself and its shards. It decides
// nothing about the fleet.
import { EventEmitter } from 'node:events';
import {
	type BotProblem,
	type Clock,
	type Deferred,
	deferred,
	describeWorker,
	type IdentifySlot,
	orAborted,
	type QueueConnectionStatus,
	ShardctlError,
	type ShardReport,
	type ShardStatus,
	systemClock,
	type WorkerConnection,
	type WorkerMethods,
	type WorkerSample,
} from '@shardctl/core';
import type { PreparedValue, RequestOptions, Settle } from '@shardctl/rpc';
import {
	type ChildHandle,
	type ChildLink,
	type ChildSpec,
	SupervisedChild,
	type SupervisedChildOptions,
} from '@shardctl/supervisor';
import type { ProtocolGuardOptions } from '../children/protocol-guard.js';
import type { ReportListener, ReportSource } from '../children/report-source.js';
import type { BotVersion, RestartOptions } from './bot-version.js';
import { ShardConnections } from './shard-connections.js';
import { shardStatus } from './shard-status.js';
import type { StartTicket } from './start-ticket.js';
import { WorkerChannel, type WorkerPeer } from './worker-channel.js';
import { WorkerFigures } from './worker-figures.js';

export interface ManagedWorkerOptions {
	workerId: number;
	shardIds: readonly number[];
	/** The shard count that the bot sees. */
	totalShards: number;
	logger: ProtocolGuardOptions['logger'];
	/** What is the same for every process. */
	child: Omit<SupervisedChildOptions, 'connect' | 'spec' | 'beforeSpawn'>;
	/** Waits until a process may be forked. A rejection gives the worker up until its cool-down has passed. */
	prepare(signal: AbortSignal): Promise<StartTicket>;
	/** What to fork, with the ticket that {@link prepare} returned for it. */
	spec(epoch: number, ticket: StartTicket): ChildSpec;
	/** Length of Discord's identify window. */
	identifyWindowMs: number;
	/** Waits until one of the worker's shards may send IDENTIFY; rejects only when `signal` aborts. */
	acquireIdentify(worker: ManagedWorker, shardId: number, signal: AbortSignal): Promise<IdentifySlot>;
	/** Registers handlers for what workers may request of the manager. */
	serve(peer: WorkerPeer, worker: ManagedWorker): void;
	/** How a process reports that has no message channel; undefined where each process is Node's. */
	foreign?: ((worker: ManagedWorker, child: ChildHandle, listener: ReportListener) => ReportSource) | undefined;
	version: BotVersion;
}

interface ManagedWorkerEvents {
	message: [message: unknown];
	'shard.status': [report: ShardReport];
	/** It was permitted to identify a shard and did not report in time that it has. */
	'identify-expired': [shardId: number, afterMs: number];
	/** The boot is over: the process asked for its first identify slot, became ready, ended, or could not be started. */
	booted: [];
	attached: [library: string];
	/** A discord.js that our hooks did not reach is ready: it was bundled into the bot, which does not call attach(). */
	unattached: [];
	/** The bot does something that does not work under a manager. */
	problem: [problem: BotProblem];
}

export class ManagedWorker extends EventEmitter<ManagedWorkerEvents> {
	readonly id: number;
	readonly shardIds: readonly number[];
	/** The shard count that its processes see: while that of the fleet changes, there are workers of two. */
	readonly totalShards: number;
	/** Of the bot that its processes run. */
	readonly version: BotVersion;
	readonly child: SupervisedChild;
	readonly #options: ManagedWorkerOptions;
	readonly #clock: Clock;
	/** Of the present process; undefined while there is none. */
	#source: ReportSource | undefined;
	/** Of the process that is started next, or was started last. */
	#ticket: StartTicket | undefined;
	/** Of the present process, or of the last. */
	#connections: ShardConnections;
	readonly #figures = new WorkerFigures();
	#library: string | undefined;
	/** Whether the bot's library is of a version that is not supported. */
	#unsupported = false;
	/** Requested restarts that are under way. */
	#restarts = 0;
	/** While its process is set aside: settled when it is the worker again. */
	#aside: Deferred<void> | undefined;

	constructor(options: ManagedWorkerOptions) {
		super();
		this.id = options.workerId;
		this.shardIds = options.shardIds;
		this.totalShards = options.totalShards;
		this.version = options.version;
		this.#options = options;
		this.#clock = options.child.clock ?? systemClock;
		this.#connections = new ShardConnections(options.shardIds, this.#clock);
		this.child = new SupervisedChild({
			...options.child,
			beforeSpawn: async (signal) => {
				const ticket = await options.prepare(signal);
				// A start that was cancelled must not replace the ticket of the one after it.
				signal.throwIfAborted();
				this.#ticket = ticket;
			},
			spec: (epoch) => options.spec(epoch, this.#ticket as StartTicket),
			connect: (child, epoch) => this.#connect(child, epoch),
		});
		// A process that could not be forked has left the boot gate as well.
		this.child.on('exited', () => this.emit('booted'));
	}

	/** Counts the worker's processes. */
	get epoch(): number {
		return this.child.epoch;
	}

	/** For people: `worker 3 (shards 6-7)`. */
	get label(): string {
		return describeWorker(this.id, this.shardIds);
	}

	/** Calls that wait for a reply of the present process, heartbeats included. */
	get pendingCalls(): number {
		return this.#source?.pendingCount ?? 0;
	}

	/** The last figures that the present process sent; undefined before the first. */
	get sample(): WorkerSample | undefined {
		return this.#figures.last;
	}

	/** Processor time of all its processes so far, in s; undefined before the first figures. */
	get cpuSeconds(): number | undefined {
		return this.#figures.cpuSeconds;
	}

	/** The library of the bot's first client, such as `discord.js 14.28.1`; undefined before there is one. */
	get library(): string | undefined {
		return this.#library;
	}

	status(shardId: number): ShardStatus {
		return shardStatus(this.child.state, this.#connections.of(shardId));
	}

	/** Whether all that it is there for works: its shards are ready, or, without shards, it is a member of its group. */
	get isServing(): boolean {
		if (this.shardIds.length === 0) return this.child.state === 'ready';
		return this.shardIds.every((shardId) => this.status(shardId) === 'ready');
	}

	/** When the status of a shard began, in ms since the epoch. */
	statusSince(shardId: number): number {
		const { state, since, startedAt } = this.child;
		if (state !== 'spawning' && state !== 'starting' && state !== 'ready') return since;
		return this.#connections.since(shardId) ?? startedAt ?? since;
	}

	/** The close code with which Discord ended the connection of a shard; null once it is connected again. */
	closeCode(shardId: number): number | null {
		return this.#connections.closeCode(shardId);
	}

	/** Whether the present process, or the last one, has asked to identify or reported a connection. */
	get hasLoggedIn(): boolean {
		return this.#connections.haveBegun;
	}

	/** Whether the restart under way was requested: such a restart may spend the reserve of the day's session starts. */
	get restartRequested(): boolean {
		return this.#restarts > 0;
	}

	/**
	 * Replaces the process; `true` once the new one is ready, `false` when it could not be: it was given up, or, with
	 * `giveUpAfterExits`, that many replacements ended before they were ready (the policy keeps trying).
	 */
	async restart(reason: string, { version = 'present', ...options }: RestartOptions = {}): Promise<boolean> {
		if (version === 'present') this.version.renew();
		else this.version.revert();
		this.#restarts++;
		try {
			return await this.child.restart(reason, options);
		} finally {
			this.#restarts--;
		}
	}

	/**
	 * Resident mode: another process is the worker from here on, and this one keeps running without events until {@link takeBack}. Its
	 * clients lose their sessions and may not identify meanwhile, which is no news about the fleet.
	 */
	setAside(): void {
		this.#aside = deferred();
		for (const shardId of this.shardIds) this.#connections.set(shardId, 'reconnecting');
	}

	/** It is the worker again; resolves when every shard of it is ready. Rejects with the signal's reason, or when its process ends. */
	async takeBack(signal: AbortSignal): Promise<void> {
		const whole = deferred();
		const check = () => {
			if (this.#connections.areReady) whole.resolve();
		};
		const onExited = ({ message }: { message: string }) => whole.reject(new ShardctlError('WORKER_NOT_READY', message));
		this.on('shard.status', check);
		this.child.on('exited', onExited);
		this.#aside?.resolve();
		this.#aside = undefined;
		try {
			await orAborted(whole.promise, signal);
		} finally {
			this.off('shard.status', check);
			this.child.off('exited', onExited);
		}
	}

	/** Resident mode: what its gateway process sees of a connection of the present process, which may report the same itself. */
	noteConnection(connection: WorkerConnection): void {
		this.#source?.noteConnection(connection);
	}

	/** Whether another process is the worker while this one is kept. */
	get isAside(): boolean {
		return this.#aside !== undefined;
	}

	/** Resident mode: how far the gateway process is with the identify of a shard for which this worker waits. */
	noteIdentify(shardId: number, stage: 'waiting' | 'identifying'): void {
		if (this.child.state !== 'starting' || this.#connections.of(shardId) === 'ready') return;
		this.#connections.set(shardId, stage);
		if (stage === 'waiting') this.child.pauseReadyTimeout();
		else this.#noteProgress();
	}

	/** Sends a request to the present process. Rejects with `WORKER_UNAVAILABLE` at once when there is none that could reply. */
	request<M extends keyof WorkerMethods & string>(
		method: M,
		params: WorkerMethods[M]['params'] | PreparedValue,
		options: { timeoutMs: number; signal?: AbortSignal },
	): Promise<WorkerMethods[M]['result']> {
		return new Promise((resolve, reject) => this.ask(method, params, options, { resolve, reject }));
	}

	/** As {@link request}, without a promise; see {@link Peer.ask}. */
	ask<M extends keyof WorkerMethods & string>(
		method: M,
		params: WorkerMethods[M]['params'] | PreparedValue,
		options: RequestOptions,
		settle: Settle<WorkerMethods[M]['result']>,
	): void {
		const state = this.child.state;
		if (this.#source && (state === 'ready' || state === 'unresponsive')) {
			this.#source.ask(method, params, options, settle);
			return;
		}
		settle.reject(
			new ShardctlError('WORKER_UNAVAILABLE', `${this.label} is ${state}, so it cannot answer`, {
				details: { workerId: this.id, shardIds: this.shardIds, state },
			}),
		);
	}

	/** Asks for figures as they are now, and keeps them as the last sample. */
	async freshSample(timeoutMs: number): Promise<WorkerSample> {
		const sample = await this.request('sample', null, { timeoutMs });
		this.#figures.note(sample);
		return sample;
	}

	/** In a cluster, in direct mode: until when the present process may run its shards. */
	renewLease(untilMs: number): void {
		this.#source?.renewLease(untilMs);
	}

	/** Sends a message to the bot's own `process.on('message')`. */
	send(message: unknown): Promise<void> {
		const sending = this.#source?.send(message);
		if (sending) return sending;
		return Promise.reject(
			new ShardctlError('WORKER_UNAVAILABLE', `${this.label} is ${this.child.state}, so the message cannot be delivered`),
		);
	}

	#connect(child: ChildHandle, epoch: number): ChildLink {
		const { startsSessions } = this.#ticket as StartTicket;
		const listener: ReportListener = {
			attached: (library) => {
				this.#library ??= library;
				this.emit('attached', library);
			},
			problem: (problem) => {
				this.#unsupported ||= problem.code === 'UNSUPPORTED_LIBRARY';
				this.emit('problem', problem);
			},
			sample: (sample) => {
				this.#figures.note(sample);
				this.child.reportMemory(sample.rssBytes);
			},
			status: (report) => this.#onShardStatus(report, epoch),
			queueStatus: (status) => this.#onQueueStatus(status, epoch),
			identifying: (shardId) => this.#onIdentifying(shardId),
			acquireIdentify: (shardId, signal) => this.#acquire(shardId, signal),
			identifySent: () => {
				if (startsSessions) this.child.markSpent(epoch);
			},
			identifyExpired: (shardId, afterMs) => this.emit('identify-expired', shardId, afterMs),
			message: (message) => {
				if (this.#library === undefined && isReadyOfDiscordJs(message)) this.#onUnattachedReady(epoch);
				else this.emit('message', message);
			},
			broken: (error) => this.child.breakOff(epoch, error),
			closed: () => {
				if (this.#source === source) this.#source = undefined;
			},
		};
		const source = this.#options.foreign?.(this, child, listener) ?? this.#openChannel(child, epoch, listener);
		this.#source = source;
		this.#connections = new ShardConnections(this.shardIds, this.#clock);
		this.#figures.beginProcess();
		return source.link;
	}

	#openChannel(child: ChildHandle, epoch: number, listener: ReportListener): WorkerChannel {
		const { logger, identifyWindowMs, serve } = this.#options;
		const channel = new WorkerChannel(
			{ child, epoch, label: this.label, clock: this.#clock, logger, identifyWindowMs },
			listener,
		);
		serve(channel.peer, this);
		return channel;
	}

	/** Its IDENTIFY is with the gateway process, which starts the session with Discord where that is not started. */
	#onIdentifying(shardId: number): void {
		if (!this.shardIds.includes(shardId)) return;
		this.#connections.set(shardId, 'identifying');
		this.emit('booted');
		this.#noteProgress();
	}

	/** Waiting for a slot is Discord's pace and no lack of progress, so the ready timeout is paused meanwhile. */
	async #acquire(shardId: number, signal: AbortSignal): Promise<IdentifySlot> {
		if (!this.shardIds.includes(shardId)) {
			throw new ShardctlError('SHARD_NOT_OWNED', `${this.label} asked to identify shard ${shardId}, which is not its own`);
		}
		// Those of the process that asks: another one may be present when the wait ends.
		const connections = this.#connections;
		connections.set(shardId, 'waiting');
		this.emit('booted');
		this.child.pauseReadyTimeout();
		try {
			if (this.#aside) await orAborted(this.#aside.promise, signal);
			return await this.#options.acquireIdentify(this, shardId, signal);
		} finally {
			connections.set(shardId, 'identifying');
			this.#noteProgress();
		}
	}

	/**
	 * A discord.js without our hooks reports itself to the manager, as to its own ShardingManager: version 14 once per shard, older
	 * ones once per process. That is enough to know that the sessions are up, so the worker is not replaced.
	 */
	#onUnattachedReady(epoch: number): void {
		const waiting = this.shardIds.filter((id) => this.#connections.of(id) !== 'ready');
		for (const shardId of this.#unsupported ? waiting : waiting.slice(0, 1))
			this.#onShardStatus({ shardId, status: 'ready' }, epoch);
		if (!this.#unsupported) this.emit('unattached');
	}

	#noteProgress(): void {
		if (!this.#connections.isAnyWaiting) this.child.restartReadyTimeout();
	}

	/** A worker without shards is ready when it is a member of its group. Until a fleet writes to the queue there is no group to join. */
	#onQueueStatus(status: QueueConnectionStatus, epoch: number): void {
		if (this.shardIds.length > 0 || this.child.state === 'draining') return;
		if (status === 'connected') this.child.restartReadyTimeout();
		if (status === 'waiting') this.child.pauseReadyTimeout();
		if (status === 'joined') this.child.markReady(epoch);
		if (status !== 'connected') this.emit('booted');
	}

	#onShardStatus(report: ShardReport, epoch: number): void {
		if (!this.shardIds.includes(report.shardId)) return;
		const { shardId, status, closeCode } = report;
		this.#connections.set(shardId, status === 'resumed' ? 'ready' : status, closeCode);
		// A worker that logs out closes its own connections; that says nothing about Discord's side.
		if (this.child.state === 'draining' || this.#aside) return;
		this.#noteProgress();
		this.emit('shard.status', report);
		if (this.#connections.areReady) {
			this.child.markReady(epoch);
			this.emit('booted');
		}
	}
}

/** What discord.js itself sends to its own sharding manager. */
function isReadyOfDiscordJs(message: unknown): boolean {
	return typeof message === 'object' && message !== null && (message as { _ready?: unknown })._ready === true;
}
