// What a session sent lately, so that RESUME can send it again. Bounded by count, bytes and age; the oldest go first, and a
// resume from before the oldest is impossible. Invariant: the entries are consecutive in `seq` and end with the newest.
import type { Dispatch } from './dispatch.js';

export interface ReplayLimits {
	/** Default 10,000. */
	maxEvents: number;
	/** Default 2 MiB. */
	maxBytes: number;
	/** Default 10 min. */
	maxAgeMs: number;
}

export const defaultReplayLimits: ReplayLimits = { maxEvents: 10_000, maxBytes: 2 * 1024 * 1024, maxAgeMs: 600_000 };

interface Entry {
	/** `null` for what is not sent again: RESUMED itself. */
	dispatch: Dispatch | null;
	atMs: number;
}

export class ReplayBuffer {
	readonly #limits: ReplayLimits;
	/** Entries before `#start` are dead; compacted now and then, so that dropping the oldest costs nothing. */
	#entries: Entry[] = [];
	#start = 0;
	#bytes = 0;
	#lastSeq = 0;

	constructor(limits: ReplayLimits = defaultReplayLimits) {
		this.#limits = limits;
	}

	/** Keeps what was just sent; its number is one above the last. */
	push(dispatch: Dispatch | null, nowMs: number): void {
		this.#entries.push({ dispatch, atMs: nowMs });
		this.#lastSeq++;
		this.#bytes += dispatch?.sizeBytes ?? 0;
		this.#trim(nowMs);
	}

	get size(): number {
		return this.#entries.length - this.#start;
	}

	/** The events after `seq` with their numbers, in order; `undefined` when some of them are gone. */
	after(seq: number): { seq: number; dispatch: Dispatch }[] | undefined {
		const missing = this.#lastSeq - seq;
		if (missing < 0 || missing > this.size) return undefined;
		return this.#entries.slice(this.#entries.length - missing).flatMap(({ dispatch }, index) => {
			return dispatch ? [{ seq: seq + 1 + index, dispatch }] : [];
		});
	}

	clear(): void {
		this.#entries = [];
		this.#start = 0;
		this.#bytes = 0;
	}

	#trim(nowMs: number): void {
		const { maxEvents, maxBytes, maxAgeMs } = this.#limits;
		for (;;) {
			const oldest = this.#entries[this.#start];
			if (!oldest || (this.size <= maxEvents && this.#bytes <= maxBytes && nowMs - oldest.atMs <= maxAgeMs)) break;
			this.#bytes -= oldest.dispatch?.sizeBytes ?? 0;
			oldest.dispatch = null;
			this.#start++;
		}
		if (this.#start > 1024 && this.#start > this.#entries.length / 2) {
			this.#entries = this.#entries.slice(this.#start);
			this.#start = 0;
		}
	}
}
