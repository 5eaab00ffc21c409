// Events of sessions that wait while shards or sessions are replaced, and how much waits. What holds them keeps that within bounds.
import type { BufferLimits } from '@shardctl/core';
import type { Dispatch } from '../state/raw.js';

/** How much waits of the events of several shards. */
export class HeldAmount {
	readonly #limits: Pick<BufferLimits, 'events' | 'bytes'>;
	#events = 0;
	#bytes = 0;

	/** @param buffer of the log of one shard */
	constructor(buffer: BufferLimits, shards: number) {
		this.#limits = { events: buffer.events * shards, bytes: buffer.bytes * shards };
	}

	get events(): number {
		return this.#events;
	}

	/** Whether it is more than the logs of the shards may have. */
	get isFull(): boolean {
		return this.#events > this.#limits.events || this.#bytes > this.#limits.bytes;
	}

	add({ text }: Dispatch): void {
		this.#events++;
		this.#bytes += text?.length ?? 0;
	}
}

export interface HeldEvent {
	readonly dispatch: Dispatch;
	readonly seq: number;
}

/** What holds the events of a session; it receives each event that waits. */
export interface EventHold {
	/** An event has arrived and waits. */
	onHeld(event: HeldEvent): void;
	/** Monotonic. */
	nowMs(): number;
}

export class HeldEvents {
	readonly #hold: EventHold;
	readonly #events: HeldEvent[] = [];

	constructor(hold: EventHold) {
		this.#hold = hold;
	}

	add(dispatch: Dispatch, seq: number): void {
		// What it waits here counts for what is too old to be of use.
		const event = { dispatch: { ...dispatch, receivedAtMs: this.#hold.nowMs() }, seq };
		this.#events.push(event);
		this.#hold.onHeld(event);
	}

	/** In the order of their arrival. */
	takeAll(): HeldEvent[] {
		return this.#events.splice(0);
	}
}
