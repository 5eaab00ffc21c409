// How a message shows a value that was given and not accepted.

/** A value for people: `"1"`, `null`, `1n`, `an array`, `{"shard":1}`. Never throws, and is at most a line long. */
export function describeValue(value: unknown): string {
	if (typeof value === 'string') return cut(JSON.stringify(value));
	if (typeof value === 'bigint') return `${value}n`;
	if (typeof value === 'function') return 'a function';
	if (typeof value !== 'object' || value === null) return String(value);
	try {
		return cut(JSON.stringify(value) ?? 'an object');
	} catch {
		return Array.isArray(value) ? 'an array' : 'an object';
	}
}

function cut(text: string): string {
	return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}
