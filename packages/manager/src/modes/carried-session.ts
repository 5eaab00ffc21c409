// One session of a node of a cluster, with its gateway process and its workers. They are started before the session is this node's, so
// that it moves within one turn of Discord's connection, and end when it is another node's.
//
//   open ──pause──▶ paused ──resume──▶ open        `close` leads from each of them to `closed`.
import { type Clock, deferred, type GatewayClusterConfig, orAborted, type SessionLease, sleep } from '@shardctl/core';
import type { ManagedGateway } from '../gateways/managed-gateway.js';
import type { ManagedWorker } from '../workers/managed-worker.js';
import type { Carried } from './carried.js';

export interface SessionToCarry {
	session: number;
	/** All shards of the session. */
	shardIds: readonly number[];
	/** The same by worker. */
	slices: readonly (readonly number[])[];
	/** Another node had it until now, and Discord waits for its resume. */
	isTakenOver: boolean;
	/** The place of its gateway process in the cluster, at each start of it. */
	gateway(): GatewayClusterConfig;
	/** Its connection to Discord is up, or was closed. */
	onConnection(state: 'up' | 'down'): void;
}

export interface CarriedSessionOptions {
	clock: Clock;
	gateway: ManagedGateway;
	/** What the start of the workers waits for, for {@link headStartMs} at most (default: nothing). */
	workersAfter?: Promise<void> | undefined;
	slices: readonly (readonly number[])[];
	/** Just made, and not started. */
	created: readonly ManagedWorker[];
	/** Those of its shards; a deploy replaces them. */
	workers(): readonly ManagedWorker[];
	removeWorkers(workers: readonly ManagedWorker[]): Promise<void>;
	onClosed(): void;
}

/** Above what the gateway process itself allows. */
const drainTimeoutMs = 15_000;
const leaseTimeoutMs = 5000;
/** Workers that start take the processor from a gateway process that is to resume. */
const headStartMs = 1000;

export class CarriedSession implements Carried {
	readonly #options: CarriedSessionOptions;
	readonly #opened: Promise<void>;
	readonly #booted: Promise<unknown>;
	readonly #ready: Promise<unknown>;
	#state: 'open' | 'paused' | 'closed' = 'open';
	/** The last {@link pause}. */
	#pausing: Promise<void> = Promise.resolve();

	constructor(options: CarriedSessionOptions) {
		const { created } = options;
		this.#options = options;
		this.#booted = Promise.all(created.map((worker) => booted(worker)));
		this.#ready = Promise.all(created.map(({ child }) => new Promise<void>((resolve) => child.once('ready', () => resolve()))));
		this.#opened = this.#start();
	}

	async #start(): Promise<void> {
		const { gateway, created, workersAfter, clock } = this.#options;
		await gateway.open();
		if (this.#state === 'closed') return;
		gateway.child.start();
		if (workersAfter) await Promise.race([workersAfter, sleep(clock, headStartMs)]);
		if (this.#isClosed) return;
		for (const worker of created) worker.child.start();
	}

	/** Read it again after each wait. */
	get #isClosed(): boolean {
		return this.#state === 'closed';
	}

	/** Every shard is ready in its worker. */
	get isReady(): boolean {
		const workers = this.#options.workers();
		return (
			this.#state === 'open' &&
			workers.length > 0 &&
			workers.every((worker) => worker.shardIds.every((id) => worker.status(id) === 'ready'))
		);
	}

	/** Its gateway process is there, and is not being ended. */
	get isRunning(): boolean {
		return this.#state === 'open' && this.#options.gateway.child.state === 'ready';
	}

	get workers(): readonly ManagedWorker[] {
		return this.#options.workers();
	}

	/** Resolves when each of its first workers was ready, and not before; it may never be. */
	async whenReady(): Promise<void> {
		await this.#ready;
	}

	/** Resolves when everything is there but the connection to Discord; rejects with the signal's reason. */
	async whenPrepared(signal: AbortSignal): Promise<void> {
		await orAborted(this.#opened, signal);
		await this.#options.gateway.whenReady(signal);
		await orAborted(this.#booted, signal);
	}

	/** Tells the gateway process about the lease. What it does not hear ends with the lease that it knows. */
	lease(lease: SessionLease): void {
		if (this.#state !== 'open' || this.#options.gateway.child.state !== 'ready') return;
		this.#ask('session.lease', lease, leaseTimeoutMs);
	}

	/** Stops the stream, lets the workers confirm what they have, saves everything, and closes the connection to Discord. */
	async pause(): Promise<void> {
		if (this.#state === 'open') {
			this.#state = 'paused';
			this.#pausing = this.#endGateway();
		}
		await this.#pausing;
	}

	async #endGateway(): Promise<void> {
		const { gateway, slices } = this.#options;
		await gateway.request('worker.drain', { shardIds: slices.flat() }, { timeoutMs: drainTimeoutMs }).catch(() => {});
		await gateway.pause();
	}

	/** Undoes {@link pause}, once that is over: as where Redis was restarted meanwhile and gave the session a new epoch. */
	resume(): void {
		if (this.#state !== 'paused') return;
		this.#state = 'open';
		const { gateway } = this.#options;
		const start = () => {
			if (this.#state === 'open') gateway.child.start();
		};
		// The next process follows the paused one, which may still be ending.
		const ended = () => gateway.whenPaused();
		this.#pausing.then(ended, ended).then(start, start);
	}

	/** Ends the processes; Discord and the store keep the session for another node. Idempotent. */
	async close(): Promise<void> {
		if (this.#state === 'closed') return;
		this.#state = 'closed';
		const { gateway, workers, removeWorkers, onClosed } = this.#options;
		const ended = removeWorkers(workers());
		await gateway.stop({ keepSessions: true });
		await ended;
		onClosed();
	}

	#ask(method: 'session.lease', params: SessionLease, timeoutMs: number): void {
		// A process that has just died is followed by one that starts with the lease.
		this.#options.gateway.request(method, params, { timeoutMs }).catch(() => {});
	}
}

/** Resolves when the boot of a worker's first process is over. */
function booted(worker: ManagedWorker): Promise<void> {
	const done = deferred();
	worker.once('booted', () => done.resolve());
	return done.promise;
}
