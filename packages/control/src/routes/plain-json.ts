// Makes plain JSON of a value that came from a bot, which may hold what JSON has no word for.

/** BigInt becomes text, Map an object (or pairs), Set a list; NaN, functions and what is not there become null. */
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
