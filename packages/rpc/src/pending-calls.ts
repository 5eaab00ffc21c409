// The calls of one side that wait for an answer. Each is settled exactly once; settling it ends its timer and its link to the
// caller's signal, so an empty table means that nothing is left behind.
import type { Clock, ShardctlError, Timer } from '@shardctl/core';

export interface PendingCall {
	readonly method: string;
	readonly resolve: (value: unknown) => void;
	readonly reject: (reason: unknown) => void;
	/** 0 or Infinity: no deadline. */
	readonly timeoutMs: number;
	readonly onTimeout: () => void;
	/** Ends the link to the caller's signal, where there is one. */
	readonly unlink: (() => void) | undefined;
}

/** Longest delay that a timer can have; a longer one would fire at once. */
const maxTimerMs = 2 ** 31 - 1;

export class PendingCalls {
	readonly #clock: Clock;
	readonly #calls = new Map<number, { call: PendingCall; timer: Timer | undefined }>();
	#lastId = 0;

	constructor(clock: Clock) {
		this.#clock = clock;
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
		const timer = endless ? undefined : this.#clock.setTimeout(call.onTimeout, Math.min(call.timeoutMs, maxTimerMs));
		this.#calls.set(id, { call, timer });
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
		if (found.timer !== undefined) this.#clock.clearTimeout(found.timer);
		found.call.unlink?.();
		return found.call;
	}
}
