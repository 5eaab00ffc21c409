// Sets of user ids that cost four bytes an id: a frozen guild has to say whether it holds a copy of a user without being thawed.
// They answer "perhaps" or "certainly not": two ids may share a hash, which costs a needless look and no more.

/** A 32-bit hash of a snowflake. */
export function userHash(id: string): number {
	let hash = 0;
	for (let index = 0; index < id.length; index++) hash = (Math.imul(hash, 31) + id.charCodeAt(index)) | 0;
	return hash >>> 0;
}

/** The hashes of some ids, sorted, each once. */
export function userHashes(ids: Iterable<string>): Uint32Array {
	const hashes = new Set<number>();
	for (const id of ids) hashes.add(userHash(id));
	return Uint32Array.from(hashes).sort();
}

export function mayContain(sorted: Uint32Array, hash: number): boolean {
	let low = 0;
	let high = sorted.length - 1;
	while (low <= high) {
		const middle = (low + high) >>> 1;
		const value = sorted[middle] ?? 0;
		if (value === hash) return true;
		if (value < hash) low = middle + 1;
		else high = middle - 1;
	}
	return false;
}
