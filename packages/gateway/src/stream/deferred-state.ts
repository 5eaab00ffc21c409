// The state of a shard's stream, and the events that it still has to apply. A worker confirms hundreds of events at once; applied at once
// they would delay the events behind them, so the state follows in small steps, and has caught up with the cursor whenever it is read.
import { dispatchOf, EventLog, type LogEntry } from '../buffer/event-log.js';
import type { ShardState } from '../state/shard-state.js';

/**
 * A step applies `events` events, some 3 µs of work each, or this part of all that wait when those are many. In a flood as many wait as arrive in
 * a turn, divided by it; the more, the longer they live, and the more of them a garbage collection has to copy.
 */
const step = { events: 4, part: 1 / 4 };

export class DeferredState {
	readonly #onApplied: (entry: LogEntry, state: ShardState) => void;
	#state: ShardState | undefined;
	#waiting = new EventLog();
	#immediate: NodeJS.Immediate | undefined;
	/** Set while the state is frozen. */
	#thawNow: (() => void) | undefined;

	/** @param onApplied the state has applied an event */
	constructor(onApplied: (entry: LogEntry, state: ShardState) => void) {
		this.#onApplied = onApplied;
	}

	/** The state, with everything applied. */
	get current(): ShardState | undefined {
		this.#thawNow?.();
		this.#apply(Number.POSITIVE_INFINITY);
		return this.#state;
	}

	/** The position of the first event that the state still has to apply. */
	get nextOffset(): number | undefined {
		return this.#waiting.oldest?.offset;
	}

	/**
	 * The state applies nothing until {@link thaw}. When it is read before that, `thawNow` is called first, which must thaw it.
	 */
	freeze(thawNow: () => void): void {
		this.#thawNow = thawNow;
	}

	thaw(): void {
		this.#thawNow = undefined;
		if (this.#waiting.size > 0) this.#schedule();
	}

	/** The state as it is, perhaps some events behind, where that is good enough. */
	get peek(): ShardState | undefined {
		return this.#state;
	}

	/** From now on this is the state; what the one before still had to apply is dropped. */
	adopt(state: ShardState): void {
		this.#waiting = new EventLog();
		this.#state = state;
	}

	/** The state is to apply this event. */
	take(entry: LogEntry): void {
		if (!this.#state) return;
		this.#waiting.push(entry);
		this.#schedule();
	}

	stop(): void {
		clearImmediate(this.#immediate);
	}

	#schedule(): void {
		if (!this.#thawNow) this.#immediate ??= setImmediate(() => this.#step());
	}

	#step(): void {
		this.#immediate = undefined;
		if (this.#thawNow) return;
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
