// Counts the lines of one stream that were left out, and reports their number, at most once a second.
import type { Clock, Timer } from '@shardctl/core';

const reportEveryMs = 1000;

export class LeftOutLines {
	readonly #clock: Clock;
	readonly #onReport: (lines: number) => void;
	#lines = 0;
	#timer: Timer | undefined;

	constructor(clock: Clock, onReport: (lines: number) => void) {
		this.#clock = clock;
		this.#onReport = onReport;
	}

	/** A negative number takes back: lines that were counted and are there all the same. */
	add(lines: number): void {
		this.#lines += lines;
		this.#timer ??= this.#clock.setTimeout(() => this.report(), reportEveryMs);
	}

	/** Reports what there is now, also at the end of the stream. */
	report(): void {
		this.#clock.clearTimeout(this.#timer);
		this.#timer = undefined;
		if (this.#lines > 0) this.#onReport(this.#lines);
		this.#lines = 0;
	}
}
