// Reports what a door refuses: the first refusal at once, those that follow it together, so that a client that tries again and again
// cannot push everything else out of the log and the kept events.
import type { Clock, Timer } from '../clock.js';

/** At most one report in this time. */
const intervalMs = 10_000;

export class RefusalNotices {
	readonly #clock: Clock;
	readonly #report: (message: string) => void;
	#timer: Timer | undefined;
	/** Since the last report. */
	#count = 0;
	#last = '';

	constructor(clock: Clock, report: (message: string) => void) {
		this.#clock = clock;
		this.#report = report;
	}

	note(message: string): void {
		if (this.#timer === undefined) {
			this.#report(message);
			this.#wait();
			return;
		}
		this.#count++;
		this.#last = message;
	}

	stop(): void {
		this.#clock.clearTimeout(this.#timer);
	}

	#wait(): void {
		this.#timer = this.#clock.setTimeout(() => {
			this.#timer = undefined;
			if (this.#count === 0) return;
			this.#report(
				this.#count === 1 ? this.#last : `${this.#last} (the last of ${this.#count} refusals in ${intervalMs / 1000} s)`,
			);
			this.#count = 0;
			this.#wait();
		}, intervalMs);
	}
}
