// The calls of one side that wait for a reply. Each is settled exactly once; settling it removes its abort listener and its
// deadline, so an empty table means that nothing leaks.
import type { Clock, ShardctlError } from '@shardctl/core';
import { type Deadline, type Deadlines, deadlinesOf } from './deadlines.js';
import type { Frame } from './frames.js';
import type { OutboxEntry } from './outbox.js';

/** How a call ends: by exactly one of the two, called once. Neither may throw. */
export interface Settle<Result> {
	resolve(value: Result): void;
	reject(reason: unknown): void;
}

export interface PendingCallOptions {
	method: string;
	timeoutMs: number;
	settle: Settle<unknown>;
	/** Its deadline has passed, and it is not settled yet. */
	onExpired(call: PendingCall): void;
}

/** One object in the table, among the deadlines and in the outbox: a broadcast makes one for each worker, and thousands may wait. */
export class PendingCall implements Deadline, OutboxEntry {
	readonly id: number;
	readonly method: string;
	readonly timeoutMs: number;
	readonly settle: Settle<unknown>;
	dueAt = 0;
	lane: Deadline['lane'] = undefined;
	previous: Deadline | undefined = undefined;
	next: Deadline | undefined = undefined;
	/** The request; its owner sets both before it is sent. */
	frame: Frame | undefined = undefined;
	sizeBytes = 0;
	state: OutboxEntry['state'] = 'waiting';
	/** Removes the abort listener, if there is one. */
	unlink: (() => void) | undefined = undefined;
	readonly #onExpired: (call: PendingCall) => void;

	constructor(id: number, { method, timeoutMs, settle, onExpired }: PendingCallOptions) {
		this.id = id;
		this.method = method;
		this.timeoutMs = timeoutMs;
		this.settle = settle;
		this.#onExpired = onExpired;
	}

	expire(): void {
		this.#onExpired(this);
	}
}

export class PendingCalls {
	readonly #deadlines: Deadlines;
	readonly #calls = new Map<number, PendingCall>();
	#lastId = 0;

	constructor(clock: Clock) {
		this.#deadlines = deadlinesOf(clock);
	}

	get size(): number {
		return this.#calls.size;
	}

	/** Adds a call that waits from now on. Ids start at 1 and only grow. */
	add(options: PendingCallOptions): PendingCall {
		const call = new PendingCall(++this.#lastId, options);
		this.#calls.set(call.id, call);
		this.#deadlines.add(call);
		return call;
	}

	/** Removes and returns a call, which the caller must settle; undefined when there is none of that id (any more). */
	take(id: number): PendingCall | undefined {
		const call = this.#calls.get(id);
		if (!call) return undefined;
		this.#calls.delete(id);
		this.#deadlines.remove(call);
		call.unlink?.();
		return call;
	}

	/** False when there is no such call (any more). */
	reject(id: number, reason: unknown): boolean {
		const call = this.take(id);
		call?.settle.reject(reason);
		return call !== undefined;
	}

	/** Rejects every call with an error of its own. */
	rejectAll(reasonFor: (method: string) => ShardctlError): void {
		for (const [id, { method }] of this.#calls) this.reject(id, reasonFor(method));
	}
}
