// The state of a shard's stream, and what it still has to take in. A worker confirms hundreds of events in one word; taken in at once
// they would hold up the events that come behind them, so the state follows in small steps, and stands at the cursor whenever
// somebody looks at it.
import { dispatchOf, type LogEntry } from '../buffer/event-log.js';
import type { ShardState } from '../state/shard-state.js';

/** A step takes in so many events, some 50 µs of work, or this part of all that wait where those are many. */
const step = { events: 4, part: 1 / 16 };

export class LaggingState {
	readonly #onApplied: (entry: LogEntry, state: ShardState) => void;
	#state: ShardState | undefined;
	#waiting: LogEntry[] = [];
	/** What stands before it in {@link #waiting} has been taken in. */
	#next = 0;
	#immediate: NodeJS.Immediate | undefined;

	/** @param onApplied the state has taken in an event */
	constructor(onApplied: (entry: LogEntry, state: ShardState) => void) {
		this.#onApplied = onApplied;
	}

	/** The state, moved on by everything that was taken. */
	get current(): ShardState | undefined {
		this.#apply(Number.POSITIVE_INFINITY);
		return this.#state;
	}

	/** The state as it happens to stand, for those who need not know exactly. */
	get about(): ShardState | undefined {
		return this.#state;
	}

	/** From now on this is the state; what the one before had still to take in is of no use to it. */
	adopt(state: ShardState): void {
		this.#forget();
		this.#state = state;
	}

	/** The state has this event behind it. */
	take(entry: LogEntry): void {
		if (!this.#state) return;
		this.#waiting.push(entry);
		this.#immediate ??= setImmediate(() => this.#step());
	}

	stop(): void {
		clearImmediate(this.#immediate);
	}

	#step(): void {
		this.#apply(Math.max(step.events, Math.ceil((this.#waiting.length - this.#next) * step.part)));
		this.#immediate = this.#waiting.length > 0 ? setImmediate(() => this.#step()) : undefined;
	}

	#apply(most: number): void {
		const state = this.#state;
		if (!state || this.#waiting.length === 0) return;
		const until = Math.min(this.#waiting.length, this.#next + most);
		for (; this.#next < until; this.#next++) {
			const entry = this.#waiting[this.#next] as LogEntry;
			state.apply(dispatchOf(entry));
			this.#onApplied(entry, state);
		}
		if (this.#next === this.#waiting.length) this.#forget();
	}

	#forget(): void {
		this.#waiting = [];
		this.#next = 0;
	}
}
