// A deadline that counts only time in which this process could have seen the answer. A machine that slept, a debugger that
// held us, or our own blocked loop must never look like the silence of the child.
import type { Clock, Timer } from '@shardctl/core';

const slices = 10;

/**
 * Calls `onPassed` once `timeoutMs` have gone by in ten steps (and a millisecond), however late each step's timer fires: a pause of an hour counts
 * as one step. One turn of the event loop more goes by before the verdict, because timers fire before input is read, and the
 * answer may be lying there unread.
 */
export class FairDeadline {
	readonly #clock: Clock;
	readonly #onPassed: () => void;
	#timer: Timer | undefined;

	constructor(clock: Clock, timeoutMs: number, onPassed: () => void) {
		this.#clock = clock;
		this.#onPassed = onPassed;
		this.#step(slices, timeoutMs / slices);
	}

	/** Calls it off; harmless when it has passed already. */
	clear(): void {
		this.#clock.clearTimeout(this.#timer);
		this.#timer = undefined;
	}

	#step(left: number, sliceMs: number): void {
		this.#timer = this.#clock.setTimeout(
			() => {
				if (left > 0) this.#step(left - 1, sliceMs);
				else this.#onPassed();
			},
			left > 0 ? sliceMs : 1,
		);
	}
}
