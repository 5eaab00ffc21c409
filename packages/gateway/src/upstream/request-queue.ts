// What workers ask of Discord (operations 3, 4, 8, 31, 43) on its way to one connection: in the budget that Discord gives a
// connection, and by turns between the operations, so that a flood of one kind does not hold up another.
import type { Clock, Timer } from '@shardctl/core';
import { type ClientRequest, op } from '@shardctl/gateway-protocol';

/** Discord closes at 120 a minute, heartbeats included. Discord: Gateway, "Rate Limiting". */
const budget = { limit: 110, windowMs: 60_000 };
/** Waiting requests of one operation; one more is dropped and counted. */
const maxWaiting = 500;

export interface RequestQueueOptions {
	clock: Clock;
	/** Whether the connection takes requests now. */
	isReady(): boolean;
	send(request: ClientRequest): void;
}

export class RequestQueue {
	readonly #options: RequestQueueOptions;
	readonly #waiting = new Map<number, ClientRequest[]>();
	#windowEndsAt = 0;
	#sent = 0;
	#timer: Timer | undefined;
	#dropped = 0;

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

	push(request: ClientRequest): void {
		const queue = this.#waiting.get(request.op) ?? [];
		this.#waiting.set(request.op, queue);
		// Only the last presence matters.
		if (request.op === op.presenceUpdate) queue.length = 0;
		if (queue.length >= maxWaiting) this.#dropped++;
		else queue.push(request);
		this.flush();
	}

	/** A new connection has a budget of its own. */
	connected(): void {
		this.#windowEndsAt = 0;
		this.flush();
	}

	/** Sends what may go out now. */
	flush(): void {
		const { clock, isReady, send } = this.#options;
		for (;;) {
			const [next] = this.#waiting;
			if (!next || !isReady()) return;
			const now = clock.monotonic();
			if (now >= this.#windowEndsAt) {
				this.#windowEndsAt = now + budget.windowMs;
				this.#sent = 0;
			}
			if (this.#sent >= budget.limit) {
				this.#timer ??= clock.setTimeout(() => {
					this.#timer = undefined;
					this.flush();
				}, this.#windowEndsAt - now);
				return;
			}
			const [opcode, queue] = next;
			const request = queue.shift();
			// To the end of the line, so that the operations take turns.
			this.#waiting.delete(opcode);
			if (queue.length > 0) this.#waiting.set(opcode, queue);
			if (!request) continue;
			this.#sent++;
			send(request);
		}
	}

	stop(): void {
		this.#options.clock.clearTimeout(this.#timer);
		this.#waiting.clear();
	}
}
