// Requests of workers (operations 3, 4, 8, 31, 43) on their way to one connection: within Discord's limits for a connection, in turns
// between the operations, and so that queries never use up the share of presence and voice.
import type { Clock, Timer } from '@shardctl/core';
import { type ClientRequest, op } from '@shardctl/gateway-protocol';
import { SlidingWindow } from './sliding-window.js';

const minuteMs = 60_000;
/** Discord closes at 120 a minute, heartbeats included. Discord: Gateway, "Rate Limiting". */
const all = { limit: 110, windowMs: minuteMs };
/** Queries for data: a bot that fetches all members must not wait a minute to leave a voice channel. */
const questions = { limit: 80, windowMs: minuteMs };
/** Discord: Gateway Events, "Activity Object". */
const presences = { limit: 5, windowMs: 20_000 };
/** Waiting requests of one operation; one more is dropped and counted. */
const maxWaiting = 500;

export interface RequestQueueOptions {
	clock: Clock;
	/** Whether the connection takes requests now. */
	isReady(): boolean;
	send(request: ClientRequest): void;
	/** Called at the first dropped request of a series. */
	onDropping(opcode: number): void;
	/** Called when none waits any more after a series of dropped requests. */
	onDropped(count: number): void;
}

/** A request that waits to be sent. */
export interface Waiting {
	request: ClientRequest;
	/** The worker's session that sent it. */
	owner: object | null;
}

export class RequestQueue {
	readonly #options: RequestQueueOptions;
	/** By operation; the first in the map has the next turn. */
	readonly #waiting = new Map<number, Waiting[]>();
	readonly #all = new SlidingWindow(all);
	readonly #questions = new SlidingWindow(questions);
	readonly #presences = new SlidingWindow(presences);
	#timer: Timer | undefined;
	#dropped = 0;
	/** Dropped requests of the present series. */
	#series = 0;

	constructor(options: RequestQueueOptions) {
		this.#options = options;
	}

	get dropped(): number {
		return this.#dropped;
	}

	get waiting(): number {
		let waiting = 0;
		for (const queue of this.#waiting.values()) waiting += queue.length;
		return waiting;
	}

	push(request: ClientRequest, owner: object | null = null): void {
		const queue = this.#waiting.get(request.op) ?? [];
		this.#waiting.set(request.op, queue);
		// Only the last presence matters.
		if (request.op === op.presenceUpdate) queue.length = 0;
		if (queue.length >= maxWaiting) this.#drop(request.op);
		else queue.push({ request, owner });
		this.flush();
	}

	/** The owner is gone: drops its requests, because no one uses the answers or the voice channels that they would join. */
	forget(owner: object): void {
		for (const [opcode, queue] of this.#waiting) {
			if (opcode === op.presenceUpdate) continue;
			this.#waiting.set(
				opcode,
				queue.filter((waiting) => waiting.owner !== owner),
			);
		}
	}

	/** Removes and returns what waits: another session sends it. */
	takeAll(): Waiting[] {
		const waiting = [...this.#waiting.values()].flat();
		this.#waiting.clear();
		this.flush();
		return waiting;
	}

	/** A new connection has a budget of its own. */
	connected(): void {
		for (const window of [this.#all, this.#questions, this.#presences]) window.clear();
		this.flush();
	}

	/** Sends what may go out now. */
	flush(): void {
		const { clock, isReady, send } = this.#options;
		clock.clearTimeout(this.#timer);
		this.#timer = undefined;
		while (isReady()) {
			const now = clock.monotonic();
			const next = this.#next(now);
			if ('request' in next) {
				this.#all.note(now);
				this.#windowOf(next.request.op)?.note(now);
				send(next.request);
				continue;
			}
			if (Number.isFinite(next.waitMs)) this.#timer = clock.setTimeout(() => this.flush(), next.waitMs);
			else this.#endSeries();
			return;
		}
	}

	stop(): void {
		this.#options.clock.clearTimeout(this.#timer);
		this.#waiting.clear();
	}

	/** Removes and returns the next request, or the time until one may be sent. */
	#next(now: number): { request: ClientRequest } | { waitMs: number } {
		let shortest = Number.POSITIVE_INFINITY;
		for (const [opcode, queue] of this.#waiting) {
			const [first] = queue;
			if (!first) continue;
			const waitMs = Math.max(this.#all.waitMs(now), this.#windowOf(opcode)?.waitMs(now) ?? 0);
			shortest = Math.min(shortest, waitMs);
			if (waitMs > 0) continue;
			queue.shift();
			// To the end of the map, so that the operations take turns.
			this.#waiting.delete(opcode);
			this.#waiting.set(opcode, queue);
			return first;
		}
		return { waitMs: shortest };
	}

	#windowOf(opcode: number): SlidingWindow | undefined {
		if (opcode === op.presenceUpdate) return this.#presences;
		return opcode === op.voiceStateUpdate ? undefined : this.#questions;
	}

	#drop(opcode: number): void {
		this.#dropped++;
		if (this.#series === 0) this.#options.onDropping(opcode);
		this.#series++;
	}

	#endSeries(): void {
		if (this.#series > 0) this.#options.onDropped(this.#series);
		this.#series = 0;
	}
}
