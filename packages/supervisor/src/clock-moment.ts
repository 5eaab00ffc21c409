// A moment as a time of day that stays as long ago as it is, also when the clock of the machine is set: else a clock that jumps an hour ahead
// makes everything look silent for an hour.
import type { Clock } from '@shardctl/core';

/** Below this, the two clocks of the machine drift apart by themselves. */
const jumpMs = 500;

export class ClockMoment {
	readonly #clock: Clock;
	readonly #at: number;
	readonly #monotonic: number;

	/** Now. */
	constructor(clock: Clock) {
		this.#clock = clock;
		this.#at = clock.now();
		this.#monotonic = clock.monotonic();
	}

	/** In ms since the epoch, by the clock as it is set now. */
	get at(): number {
		const now = this.#clock.now();
		const byMonotonic = Math.round(now - (this.#clock.monotonic() - this.#monotonic));
		return Math.abs(byMonotonic - this.#at) < jumpMs ? this.#at : byMonotonic;
	}
}
