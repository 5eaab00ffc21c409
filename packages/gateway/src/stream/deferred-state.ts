// The state of a shard's stream, and what it still has to take in. A worker confirms hundreds of events in one word; taken in at once
// they would hold up the events that come behind them, so the state follows in small steps, and stands at the cursor whenever
// somebody looks at it.
import { dispatchOf, EventLog, type LogEntry } from '../buffer/event-log.js';
import type { ShardState } from '../state/shard-state.js';

/** A step takes in so many events, some 50 µs of work, or this part of all that wait where those are many. */
const step = { events: 4, part: 1 / 16 };

export class DeferredState {
	readonly #onApplied: (entry: LogEntry, state: ShardState) => void;
	#state: ShardState | undefined;
	#waiting = new EventLog();
	#immediate: NodeJS.Immediate | undefined;
	/** Set while the state stands still. */
	#whenWanted: (() => void) | undefined;

	/** @param onApplied the state has taken in an event */
	constructor(onApplied: (entry: LogEntry, state: ShardState) => void) {
		this.#onApplied = onApplied;
	}

	/** The state, moved on by everything that was taken. */
	get current(): ShardState | undefined {
		this.#whenWanted?.();
		this.#apply(Number.POSITIVE_INFINITY);
		return this.#state;
	}

	/** The position of the first event that the state has still to take in. */
	get nextOffset(): number | undefined {
		return this.#waiting.oldest?.offset;
	}

	/**
	 * The state takes nothing in until {@link thaw}. Somebody who needs it as it should be by now has `whenWanted` called, which must
	 * call that.
	 */
	freeze(whenWanted: () => void): void {
		this.#whenWanted = whenWanted;
	}

	thaw(): void {
		this.#whenWanted = undefined;
		if (this.#waiting.size > 0) this.#schedule();
	}

	/** The state as it happens to stand, for those who need not know exactly. */
	get peek(): ShardState | undefined {
		return this.#state;
	}

	/** From now on this is the state; what the one before had still to take in is of no use to it. */
	adopt(state: ShardState): void {
		this.#waiting = new EventLog();
		this.#state = state;
	}

	/** The state has this event behind it. */
	take(entry: LogEntry): void {
		if (!this.#state) return;
		this.#waiting.push(entry);
		this.#schedule();
	}

	stop(): void {
		clearImmediate(this.#immediate);
	}

	#schedule(): void {
		if (!this.#whenWanted) this.#immediate ??= setImmediate(() => this.#step());
	}

	#step(): void {
		this.#immediate = undefined;
		if (this.#whenWanted) return;
		this.#apply(Math.max(step.events, Math.ceil(this.#waiting.size * step.part)));
		if (this.#waiting.size > 0) this.#schedule();
	}

	#apply(most: number): void {
		const state = this.#state;
		if (!state) return;
		for (let taken = 0; taken < most; taken++) {
			const entry = this.#waiting.shift();
			if (!entry) return;
			state.apply(dispatchOf(entry));
			this.#onApplied(entry, state);
		}
	}
}
