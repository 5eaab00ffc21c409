// One session of a node of a cluster in direct mode: its worker, which holds the session itself. Nothing can be prepared, and nothing moves
// without an IDENTIFY. The worker runs while the lease is valid, and ends itself when it is not renewed.
//
//   waiting ──lease──▶ running ──the lease ends, pause──▶ waiting        `close` leads from each of them to `closed`.
import type { Clock, SessionLease, Timer } from '@shardctl/core';
import type { ManagedWorker } from '../workers/managed-worker.js';
import type { Carried } from './carried.js';

export interface CarriedWorkersOptions {
	clock: Clock;
	/** Just made, and not started. */
	created: readonly ManagedWorker[];
	/** Those of its shards. */
	workers(): readonly ManagedWorker[];
	removeWorkers(workers: readonly ManagedWorker[]): Promise<void>;
	onClosed(): void;
}

export class CarriedWorkers implements Carried {
	readonly #options: CarriedWorkersOptions;
	readonly #ready: Promise<unknown>;
	#state: 'waiting' | 'running' | 'closed' = 'waiting';
	/** By the clock of the machine. */
	#untilMs = 0;
	#timer: Timer | undefined;
	/** Resolves when the processes of before have ended. */
	#ended: Promise<unknown> = Promise.resolve();

	constructor(options: CarriedWorkersOptions) {
		this.#options = options;
		this.#ready = Promise.all(
			options.created.map(({ child }) => new Promise<void>((resolve) => child.once('ready', () => resolve()))),
		);
	}

	get isReady(): boolean {
		const workers = this.#options.workers();
		const isWhole = (worker: ManagedWorker) => worker.shardIds.every((id) => worker.status(id) === 'ready');
		return this.#state === 'running' && workers.length > 0 && workers.every(isWhole);
	}

	get workers(): readonly ManagedWorker[] {
		return this.#options.workers();
	}

	/** Until when its workers may run; each process is started with it. */
	get leaseUntilMs(): number {
		return this.#untilMs;
	}

	async whenReady(): Promise<void> {
		await this.#ready;
	}

	/** Nothing can be made ready before the session is this node's. */
	async whenPrepared(): Promise<void> {}

	lease({ untilMs }: SessionLease): void {
		if (this.#state === 'closed') return;
		const { clock, workers } = this.#options;
		const leftMs = untilMs - machineClock();
		this.#untilMs = untilMs;
		clock.clearTimeout(this.#timer);
		if (leftMs <= 0) {
			this.#end();
			return;
		}
		this.#timer = clock.setTimeout(() => this.#end(), leftMs);
		if (this.#state === 'running') for (const worker of workers()) worker.renewLease(untilMs);
		else {
			this.#state = 'running';
			const start = () => {
				if (this.#state === 'running') for (const worker of workers()) worker.child.start();
			};
			this.#ended.then(start, start);
		}
	}

	async pause(): Promise<void> {
		if (this.#state === 'running') this.#stop({});
		await this.#ended;
	}

	/** The next lease starts the workers again. */
	resume(): void {}

	async close(): Promise<void> {
		if (this.#state === 'closed') return;
		this.#state = 'closed';
		const { clock, workers, removeWorkers, onClosed } = this.#options;
		clock.clearTimeout(this.#timer);
		await removeWorkers(workers());
		onClosed();
	}

	/** Another node starts the same shards a little later: there is no time for a logout. */
	#end(): void {
		if (this.#state === 'running') this.#stop({ graceMs: 0 });
	}

	#stop(options: { graceMs?: number }): void {
		this.#state = 'waiting';
		this.#options.clock.clearTimeout(this.#timer);
		this.#ended = Promise.allSettled(this.#options.workers().map(({ child }) => child.stop(options)));
	}
}

/** CLOCK_MONOTONIC, which all processes of the machine share. */
function machineClock(): number {
	return Number(process.hrtime.bigint()) / 1e6;
}
