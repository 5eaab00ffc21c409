// Converts a value that came from a bot, which may hold what JSON cannot represent, to plain JSON.

/** A BigInt becomes a string, a Map an object (or pairs), a Set an array; NaN, functions and undefined become null. */
export function plainJson(value: unknown): unknown {
	const text = JSON.stringify(value, (_key, entry: unknown) => {
		if (typeof entry === 'bigint') return entry.toString();
		if (entry instanceof Set) return [...entry];
		if (entry instanceof Map) {
			const pairs = [...entry];
			return pairs.every(([key]) => typeof key === 'string') ? Object.fromEntries(pairs) : pairs;
		}
		return entry;
	});
	return text === undefined ? null : JSON.parse(text);
}
