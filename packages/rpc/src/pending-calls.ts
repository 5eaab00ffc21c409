// The calls of one side that wait for an answer. Each is settled exactly once; settling it ends its link to the caller's signal,
// and the timer ends with the last call, so an empty table means that nothing is left behind.
import type { Clock, ShardctlError, Timer } from '@shardctl/core';
import type { OutboxEntry } from './outbox.js';

export interface PendingCall {
	readonly method: string;
	readonly resolve: (value: unknown) => void;
	readonly reject: (reason: unknown) => void;
	/** 0 or Infinity: no deadline. */
	readonly timeoutMs: number;
	/** The request on its way. */
	entry: OutboxEntry | null;
	/** Ends the link to the caller's signal, where there is one. */
	unlink: (() => void) | undefined;
}

/** Longest delay that a timer can have; a longer one would fire at once. */
const maxTimerMs = 2 ** 31 - 1;

/** Timers count whole ms, so one may fire by less than this too early. */
const timerSlackMs = 1;

export class PendingCalls {
	readonly #clock: Clock;
	readonly #onExpired: (id: number, call: PendingCall) => void;
	readonly #calls = new Map<number, { call: PendingCall; dueAt: number }>();
	/** One timer for all: a timer for each would be most of what a small call costs when thousands are under way. */
	#timer: Timer | undefined;
	/** When the timer fires: never later than the first deadline. */
	#firesAt = Number.POSITIVE_INFINITY;
	#lastId = 0;

	/** @param onExpired Told of each call whose deadline has passed; it settles the call. */
	constructor(clock: Clock, onExpired: (id: number, call: PendingCall) => void) {
		this.#clock = clock;
		this.#onExpired = onExpired;
	}

	get size(): number {
		return this.#calls.size;
	}

	/** Ids start at 1 and only grow. */
	nextId(): number {
		return ++this.#lastId;
	}

	has(id: number): boolean {
		return this.#calls.has(id);
	}

	add(id: number, call: PendingCall): void {
		const endless = call.timeoutMs === 0 || call.timeoutMs === Number.POSITIVE_INFINITY;
		const now = endless ? 0 : this.#clock.monotonic();
		const dueAt = endless ? Number.POSITIVE_INFINITY : now + call.timeoutMs;
		this.#calls.set(id, { call, dueAt });
		if (dueAt < this.#firesAt) this.#setTimer(now, dueAt);
	}

	/** False when there is no such call (any more). */
	resolve(id: number, value: unknown): boolean {
		const call = this.#remove(id);
		call?.resolve(value);
		return call !== undefined;
	}

	/** False when there is no such call (any more). */
	reject(id: number, reason: unknown): boolean {
		const call = this.#remove(id);
		call?.reject(reason);
		return call !== undefined;
	}

	/** Rejects every call with an error of its own. */
	rejectAll(reasonFor: (method: string) => ShardctlError): void {
		for (const [id, { call }] of this.#calls) this.reject(id, reasonFor(call.method));
	}

	#remove(id: number): PendingCall | undefined {
		const found = this.#calls.get(id);
		if (!found) return undefined;
		this.#calls.delete(id);
		if (this.#calls.size === 0) this.#clearTimer();
		found.call.unlink?.();
		return found.call;
	}

	#setTimer(now: number, firesAt: number): void {
		this.#clearTimer();
		this.#firesAt = firesAt;
		this.#timer = this.#clock.setTimeout(() => this.#expire(), Math.min(firesAt - now, maxTimerMs));
	}

	#clearTimer(): void {
		if (this.#timer !== undefined) this.#clock.clearTimeout(this.#timer);
		this.#timer = undefined;
		this.#firesAt = Number.POSITIVE_INFINITY;
	}

	/** Looks through all calls, which is seldom: most are answered long before, and then the timer finds only later ones. */
	#expire(): void {
		this.#clearTimer();
		const now = this.#clock.monotonic();
		let next = Number.POSITIVE_INFINITY;
		for (const [id, { call, dueAt }] of this.#calls) {
			if (dueAt - now < timerSlackMs) this.#onExpired(id, call);
			else next = Math.min(next, dueAt);
		}
		if (next < this.#firesAt && this.#calls.size > 0) this.#setTimer(now, next);
	}
}
