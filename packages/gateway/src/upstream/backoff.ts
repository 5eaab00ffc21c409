// How long to wait before the next attempt to connect: none at first, then ever longer with full jitter; from the start again
// only after a connection that proved healthy.
import type { Clock } from '@shardctl/core';

const firstMs = 500;
/** Discord keeps a session for a minute and a half or a little more, and the attempt that resumes it must not come later. */
const longestMs = 15_000;
/** A connection that was ready for so long was healthy. */
const healthyAfterMs = 30_000;

export class Backoff {
	readonly #clock: Clock;
	readonly #random: () => number;
	#failures = 0;
	#readyAt: number | null = null;

	constructor(clock: Clock, random: () => number = Math.random) {
		this.#clock = clock;
		this.#random = random;
	}

	ready(): void {
		this.#readyAt = this.#clock.monotonic();
	}

	closed(): void {
		if (this.#readyAt !== null && this.#clock.monotonic() - this.#readyAt >= healthyAfterMs) this.#failures = 0;
		this.#readyAt = null;
	}

	/** The wait before the next attempt, which this counts. */
	nextDelayMs(): number {
		const failures = this.#failures++;
		return failures === 0 ? 0 : Math.round(this.#random() * Math.min(longestMs, firstMs * 2 ** (failures - 1)));
	}
}
