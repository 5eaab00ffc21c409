// Counts in fixed windows that begin with the first count (or where the owner says), on monotonic time. It keeps no timer.

export class RateWindow {
	readonly #limit: number;
	readonly #windowMs: number;
	#startedAtMs: number;
	#count = 0;

	constructor({ limit, windowMs, startedAtMs }: { limit: number; windowMs: number; startedAtMs: number }) {
		this.#limit = limit;
		this.#windowMs = windowMs;
		this.#startedAtMs = startedAtMs;
	}

	/** Counts one; `false` when that is one too many for the window. */
	take(nowMs: number): boolean {
		if (nowMs - this.#startedAtMs >= this.#windowMs) {
			this.#startedAtMs = nowMs;
			this.#count = 0;
		}
		this.#count++;
		return this.#count <= this.#limit;
	}
}
