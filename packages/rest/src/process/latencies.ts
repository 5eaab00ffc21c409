// Percentiles of the last durations. Sorted only when someone asks.

const kept = 1000;

export class Latencies {
	readonly #last: number[] = [];
	#next = 0;

	add(durationMs: number): void {
		this.#last[this.#next] = durationMs;
		this.#next = (this.#next + 1) % kept;
	}

	/** Null before the first; by nearest rank. */
	percentile(share: number): number | null {
		const sorted = [...this.#last].sort((a, b) => a - b);
		const at = Math.max(0, Math.ceil(share * sorted.length) - 1);
		const value = sorted[at];
		return value === undefined ? null : Math.round(value * 1000) / 1000;
	}
}
