// Randomness that depends on nothing but the seed and what it is for: the same question gets the same answer in every run,
// whatever was asked before. 32-bit mixing after MurmurHash3's finaliser.

function mix(value: number): number {
	let h = value | 0;
	h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
	h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
	return (h ^ (h >>> 16)) >>> 0;
}

/** A 32-bit number for these coordinates. */
export function hash(...coordinates: readonly number[]): number {
	let h = 0x9e3779b9;
	for (const coordinate of coordinates) h = mix(h ^ mix(coordinate + 0x6d2b79f5)) + 0x9e3779b9;
	return mix(h);
}

/** A number in [0, 1) for these coordinates. */
export function fraction(...coordinates: readonly number[]): number {
	return hash(...coordinates) / 0x1_0000_0000;
}

export function pick<T>(list: readonly T[], ...coordinates: readonly number[]): T {
	return list[hash(...coordinates) % list.length] as T;
}

/** A stream of numbers in [0, 1), for what happens one after the other. */
export function randomStream(seed: number): () => number {
	let counter = 0;
	return () => fraction(seed, counter++);
}
