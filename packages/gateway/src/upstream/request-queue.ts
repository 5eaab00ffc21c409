// What workers ask of Discord (operations 3, 4, 8, 31, 43) on its way to one connection: within the budget that Discord gives a
// connection, by turns between the operations, and so that questions never use up what presence and voice need.
import type { Clock, Timer } from '@shardctl/core';
import { type ClientRequest, op } from '@shardctl/gateway-protocol';
import { SlidingWindow } from './sliding-window.js';

const minuteMs = 60_000;
/** Discord closes at 120 a minute, heartbeats included. Discord: Gateway, "Rate Limiting". */
const all = { limit: 110, windowMs: minuteMs };
/** What asks for data: a bot that fetches all members must not have to wait a minute to leave a voice channel. */
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
	/** The first of several requests was dropped, because too many wait. */
	onDropping(opcode: number): void;
}

interface Waiting {
	request: ClientRequest;
	/** Who asked. */
	owner: object | null;
}

export class RequestQueue {
	readonly #options: RequestQueueOptions;
	/** By operation; the first in the map is the next to have its turn. */
	readonly #waiting = new Map<number, Waiting[]>();
	readonly #all = new SlidingWindow(all);
	readonly #questions = new SlidingWindow(questions);
	readonly #presences = new SlidingWindow(presences);
	#timer: Timer | undefined;
	#dropped = 0;
	#dropping = false;

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

	/** Whoever asked is gone: nobody waits for the answers, and nobody speaks in a voice channel that it joined. */
	forget(owner: object): void {
		for (const [opcode, queue] of this.#waiting) {
			if (opcode === op.presenceUpdate) continue;
			this.#waiting.set(
				opcode,
				queue.filter((waiting) => waiting.owner !== owner),
			);
		}
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
			else this.#dropping = false;
			return;
		}
	}

	stop(): void {
		this.#options.clock.clearTimeout(this.#timer);
		this.#waiting.clear();
	}

	/** Takes out the request whose turn it is, or says how long until there is one. */
	#next(now: number): { request: ClientRequest } | { waitMs: number } {
		let shortest = Number.POSITIVE_INFINITY;
		for (const [opcode, queue] of this.#waiting) {
			const [first] = queue;
			if (!first) continue;
			const waitMs = Math.max(this.#all.waitMs(now), this.#windowOf(opcode)?.waitMs(now) ?? 0);
			shortest = Math.min(shortest, waitMs);
			if (waitMs > 0) continue;
			queue.shift();
			// To the end of the line, so that the operations take turns.
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
		if (!this.#dropping) this.#options.onDropping(opcode);
		this.#dropping = true;
	}
}
