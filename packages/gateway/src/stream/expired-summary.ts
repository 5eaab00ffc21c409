// When to report events that expired, and how many: an outage is one line with the total, not a line for each event.

/** When nothing has expired for this time, whatever delayed events is over. */
const quietMs = 5000;
/** While it continues, it is reported this often. */
const longestMs = 60_000;

export class ExpiredSummary {
	#seen = 0;
	#reported = 0;
	#beganAtMs = 0;
	#grewAtMs = 0;

	/** To be called regularly. Returns how many to report now; 0 for none. @param expired total since the process began */
	due(expired: number, nowMs: number): number {
		if (expired > this.#seen) {
			if (this.#seen === this.#reported) this.#beganAtMs = nowMs;
			this.#seen = expired;
			this.#grewAtMs = nowMs;
		}
		const isOver = nowMs - this.#grewAtMs >= quietMs || nowMs - this.#beganAtMs >= longestMs;
		if (!isOver) return 0;
		const unreported = this.#seen - this.#reported;
		this.#reported = this.#seen;
		return unreported;
	}
}
