// Events of a session that wait while its shards are replaced by those of another shard count. Bounded by what holds them.
import type { Dispatch } from '../state/raw.js';

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
