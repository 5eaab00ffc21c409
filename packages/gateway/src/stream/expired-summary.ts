// When to tell of events that expired, and of how many: an outage is one line with the whole number, not one for each event.

/** Nothing more has expired for so long: whatever held events up is over. */
const quietMs = 5000;
/** While it goes on, it is told this often. */
const longestMs = 60_000;

export class ExpiredSummary {
	#seen = 0;
	#told = 0;
	#beganAtMs = 0;
	#grewAtMs = 0;

	/** Asked again and again. Answers how many to tell of now; 0 for none. @param expired Events since the shard exists. */
	due(expired: number, nowMs: number): number {
		if (expired > this.#seen) {
			if (this.#seen === this.#told) this.#beganAtMs = nowMs;
			this.#seen = expired;
			this.#grewAtMs = nowMs;
		}
		const isOver = nowMs - this.#grewAtMs >= quietMs || nowMs - this.#beganAtMs >= longestMs;
		if (!isOver) return 0;
		const untold = this.#seen - this.#told;
		this.#told = this.#seen;
		return untold;
	}
}
