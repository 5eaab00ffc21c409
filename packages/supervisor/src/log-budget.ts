// How much of a child's output is read into lines. Each line costs its owner work (an event, a copy, a write to a log), so a child that
// prints without an end would take all of the owner's time; what is beyond the budget is counted and not made into lines.
import type { Clock } from '@shardctl/core';

/** Kept for bursts, such as the start of a bot that lists what it loads. */
const burst = { lines: 10_000, bytes: 4 * 2 ** 20 };
const perSecond = { lines: 5000, bytes: 2 * 2 ** 20 };
/** Even to read and to count takes time: who writes more than this in a tick waits for the next one. */
const tickMs = 100;
const readBytesPerTick = 8 * 2 ** 20;

/** Both streams of one child share a budget. */
export class LogBudget {
	readonly #clock: Clock;
	#lines = burst.lines;
	#bytes = burst.bytes;
	#filledAt: number;
	#tickAt: number;
	#readBytes = 0;

	constructor(clock: Clock) {
		this.#clock = clock;
		this.#filledAt = clock.monotonic();
		this.#tickAt = this.#filledAt;
	}

	/** Output has been read. Returns for how many ms nothing more may be read; mostly 0. */
	noteRead(bytes: number): number {
		const now = this.#clock.monotonic();
		const seconds = (now - this.#filledAt) / 1000;
		this.#filledAt = now;
		this.#lines = Math.min(burst.lines, this.#lines + seconds * perSecond.lines);
		this.#bytes = Math.min(burst.bytes, this.#bytes + seconds * perSecond.bytes);
		if (now - this.#tickAt >= tickMs) {
			this.#tickAt = now;
			this.#readBytes = 0;
		}
		this.#readBytes += bytes;
		return this.#readBytes > readBytesPerTick ? this.#tickAt + tickMs - now : 0;
	}

	/** Whether one more line can be had. */
	get hasRoom(): boolean {
		return this.#lines >= 1 && this.#bytes > 0;
	}

	spend(bytes: number): void {
		this.#lines--;
		this.#bytes -= bytes;
	}
}
