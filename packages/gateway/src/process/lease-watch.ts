// The right of this process to act for its session in a cluster, as its manager has passed it on. It is compared with the clock before
// each event and each connection to Discord: a timer would be late in a process that was stopped. The rules are in packages/cluster.
import { type Clock, type Deferred, deferred, orAborted, type SessionLease } from '@shardctl/core';

export interface LeaseWatchOptions {
	clock: Clock;
	/** A larger difference between the wall clock and the monotonic clock since the last confirmation is doubt: it mutes. */
	doubtMs: number;
	/** The clock that all processes of the machine share, in ms. */
	machineClock?(): number;
}

export class LeaseWatch {
	readonly #options: LeaseWatchOptions;
	#lease: SessionLease | undefined;
	/** By the monotonic clock of this process. */
	#until = Number.NEGATIVE_INFINITY;
	/** Wall clock minus monotonic clock at the last confirmation. */
	#offset = 0;
	#confirmed: Deferred<void> = deferred();

	constructor(options: LeaseWatchOptions) {
		this.#options = options;
	}

	/** Of the last lease; undefined before the first. */
	get epoch(): number | undefined {
		return this.#lease?.epoch;
	}

	/** Of the engine that has confirmed it. */
	get identity(): string {
		return this.#lease?.identity ?? '';
	}

	hear(lease: SessionLease): void {
		const { clock, machineClock = sharedClock } = this.#options;
		this.#lease = lease;
		this.#until = clock.monotonic() + lease.untilMs - machineClock();
		this.#offset = this.#wallOffset;
		if (!this.mayAct) return;
		this.#confirmed.resolve();
		this.#confirmed = deferred();
	}

	/** Whether events may be released, and a connection opened, at this moment. */
	get mayAct(): boolean {
		if (this.#options.clock.monotonic() >= this.#until) return false;
		// The monotonic clock stands still while a virtual machine is suspended; then the wall clock has advanced more.
		return Math.abs(this.#wallOffset - this.#offset) <= this.#options.doubtMs;
	}

	/** Resolves when the process may act; rejects with the signal's reason. */
	async confirmed(signal: AbortSignal): Promise<void> {
		while (!this.mayAct) await orAborted(this.#confirmed.promise, signal);
	}

	get #wallOffset(): number {
		const { clock } = this.#options;
		return clock.now() - clock.monotonic();
	}
}

/** CLOCK_MONOTONIC of the machine; `performance.now` counts from the start of each process. */
function sharedClock(): number {
	return Number(process.hrtime.bigint()) / 1e6;
}
