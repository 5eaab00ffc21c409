// Numbers that follow from a seed (mulberry32).

export class Random {
	#state: number;

	constructor(seed: number) {
		this.#state = seed >>> 0;
	}

	/** A whole number from 0 to below `count`. */
	upTo(count: number): number {
		this.#state = (this.#state + 0x6d2b79f5) >>> 0;
		let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
		mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
		return ((mixed ^ (mixed >>> 14)) >>> 0) % count;
	}

	chance(percent: number): boolean {
		return this.upTo(100) < percent;
	}

	of<T>(items: readonly T[]): T {
		return items[this.upTo(items.length)] as T;
	}

	/** Choices for one change. */
	numbers(): number[] {
		return Array.from({ length: 3 + this.upTo(10) }, () => this.upTo(10_000));
	}

	/** Another, independent sequence of numbers. */
	fork(): Random {
		return new Random(this.upTo(2 ** 31));
	}
}
