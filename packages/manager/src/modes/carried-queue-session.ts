// One session of a node of a cluster in queue mode: its gateway process, which writes the events into the queue. No worker belongs to it; those
// of this node read the queue whichever sessions are here. It does not start, pause or end the process: carried-session does that.
import { deferred, type SessionLease } from '@shardctl/core';
import type { ManagedWorker } from '../workers/managed-worker.js';
import type { Carried } from './carried.js';
import type { CarriedSession, SessionToCarry } from './carried-session.js';

export interface CarriedQueueSessionOptions {
	session: SessionToCarry;
	carry(session: SessionToCarry): Pick<CarriedSession, keyof Carried | 'isRunning'>;
	/** Whether the session is not to start yet: no group has subscribed to any event. */
	isIdle(): boolean;
	/** Whether Discord has refused the session for good. */
	isRefused(): boolean;
}

export class CarriedQueueSession implements Carried {
	readonly workers: readonly ManagedWorker[] = [];
	readonly #options: CarriedQueueSessionOptions;
	readonly #carried: ReturnType<CarriedQueueSessionOptions['carry']>;
	readonly #connected = deferred();
	#isConnected = false;

	constructor(options: CarriedQueueSessionOptions) {
		const { session, carry } = options;
		this.#options = options;
		this.#carried = carry({
			...session,
			slices: [],
			onConnection: (state) => {
				this.#isConnected = state === 'up';
				if (this.#isConnected) this.#connected.resolve();
				session.onConnection(state);
			},
		});
	}

	/** Discord serves the session, or there is nothing to wait for. */
	get isReady(): boolean {
		const { isIdle, isRefused } = this.#options;
		return this.#carried.isRunning && (this.#isConnected || isIdle() || isRefused());
	}

	/** Resolves when Discord serves it for the first time; it may never do so. */
	async whenReady(): Promise<void> {
		await this.#connected.promise;
	}

	whenPrepared(signal: AbortSignal): Promise<void> {
		return this.#carried.whenPrepared(signal);
	}

	lease(lease: SessionLease): void {
		this.#carried.lease(lease);
	}

	pause(): Promise<void> {
		return this.#carried.pause();
	}

	resume(): void {
		this.#carried.resume();
	}

	close(): Promise<void> {
		return this.#carried.close();
	}
}
