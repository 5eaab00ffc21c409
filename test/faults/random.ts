// Seeded choice, so that a run of random faults can be had again.

export interface Random {
	/** In [0, 1). */
	next(): number;
	/** A whole number from 0, below `bound`. */
	below(bound: number): number;
	pick<T>(items: readonly T[]): T;
}

/** mulberry32: small, and good enough to shuffle faults. */
export function seeded(seed: number): Random {
	let state = seed >>> 0;
	const next = () => {
		state = (state + 0x6d2b79f5) >>> 0;
		let mixed = Math.imul(state ^ (state >>> 15), state | 1);
		mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
		return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
	};
	const below = (bound: number) => Math.floor(next() * bound);
	return { next, below, pick: (items) => items[below(items.length)] as (typeof items)[number] };
}

/** One of the entries, each as likely as its weight says. */
export function pickWeighted<T extends { weight: number }>(entries: readonly T[], random: Random): T {
	let left = random.next() * entries.reduce((sum, { weight }) => sum + weight, 0);
	for (const entry of entries) {
		left -= entry.weight;
		if (left < 0) return entry;
	}
	return entries.at(-1) as T;
}
