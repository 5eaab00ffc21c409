// Counts the errors that a process logs, and finds out when they are more than so many a minute.
import type { Clock } from '@shardctl/core';

const windowMs = 60_000;

export class ErrorRate {
	readonly #perMinute: number;
	readonly #clock: Clock;
	#at: number[] = [];

	constructor(perMinute: number, clock: Clock) {
		this.#perMinute = perMinute;
		this.#clock = clock;
	}

	/** One more error; true when the last minute has had more than allowed. */
	note(): boolean {
		const now = this.#clock.monotonic();
		this.#at = [...this.#at.filter((at) => now - at < windowMs), now];
		return this.#at.length > this.#perMinute;
	}
}
