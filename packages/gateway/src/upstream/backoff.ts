// The delay before the next attempt to connect: none for the first, then rising with full jitter. It resets only after a connection that
// proved healthy.
import type { Clock } from '@shardctl/core';

const firstMs = 500;
/** Discord keeps a session for about 90 s; the attempt that resumes it must not be later. */
const longestMs = 15_000;
/** A connection that was ready for this time was healthy. */
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

	/** The delay before the next attempt; each call counts as one. */
	nextDelayMs(): number {
		const failures = this.#failures++;
		return failures === 0 ? 0 : Math.round(this.#random() * Math.min(longestMs, firstMs * 2 ** (failures - 1)));
	}
}
