// At most `limit` uses in any period of `windowMs`, so that no fixed window of Discord's sees more, whenever
// that began. It keeps no timer.

export class SlidingWindow {
	readonly #limit: number;
	readonly #windowMs: number;
	/** When the last `limit` were, oldest first. */
	#times: number[] = [];

	constructor({ limit, windowMs }: { limit: number; windowMs: number }) {
		this.#limit = limit;
		this.#windowMs = windowMs;
	}

	/** How long until one more is allowed. */
	waitMs(nowMs: number): number {
		const [oldest] = this.#times;
		return oldest === undefined || this.#times.length < this.#limit ? 0 : Math.max(0, oldest + this.#windowMs - nowMs);
	}

	note(nowMs: number): void {
		this.#times.push(nowMs);
		if (this.#times.length > this.#limit) this.#times.shift();
	}

	clear(): void {
		this.#times = [];
	}
}
