// The calls of one side that wait for an answer. Each is settled exactly once; settling it ends its link to the caller's signal,
// and timers end with the last call that needs them, so an empty table means that nothing is left behind.
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

/** The calls with one timeout, so that they expire in the order in which they were made. */
interface Lane {
	readonly timeoutMs: number;
	/** When each is due, by its id; oldest first. Never empty while the lane is kept. */
	readonly dueAt: Map<number, number>;
	/** Fires at the first deadline or before. */
	timer: Timer | undefined;
}

export class PendingCalls {
	readonly #clock: Clock;
	readonly #onExpired: (id: number, call: PendingCall) => void;
	readonly #calls = new Map<number, PendingCall>();
	/** A timer for each call would be most of what a small call costs when thousands are under way; nearly all have one timeout. */
	readonly #lanes = new Map<number, Lane>();
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
		this.#calls.set(id, call);
		const { timeoutMs } = call;
		if (timeoutMs === 0 || timeoutMs === Number.POSITIVE_INFINITY) return;
		let lane = this.#lanes.get(timeoutMs);
		if (!lane) {
			lane = { timeoutMs, dueAt: new Map(), timer: undefined };
			this.#lanes.set(timeoutMs, lane);
			this.#setTimer(lane, timeoutMs);
		}
		lane.dueAt.set(id, this.#clock.monotonic() + timeoutMs);
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
		for (const [id, { method }] of this.#calls) this.reject(id, reasonFor(method));
	}

	#remove(id: number): PendingCall | undefined {
		const call = this.#calls.get(id);
		if (!call) return undefined;
		this.#calls.delete(id);
		const lane = this.#lanes.get(call.timeoutMs);
		if (lane?.dueAt.delete(id) && lane.dueAt.size === 0) {
			this.#clock.clearTimeout(lane.timer);
			this.#lanes.delete(lane.timeoutMs);
		}
		call.unlink?.();
		return call;
	}

	#setTimer(lane: Lane, delayMs: number): void {
		lane.timer = this.#clock.setTimeout(() => this.#expire(lane), Math.min(delayMs, maxTimerMs));
	}

	#expire(lane: Lane): void {
		const now = this.#clock.monotonic();
		for (const [id, dueAt] of lane.dueAt) {
			if (dueAt - now >= timerSlackMs) {
				this.#setTimer(lane, dueAt - now);
				return;
			}
			this.#onExpired(id, this.#calls.get(id) as PendingCall);
		}
	}
}
