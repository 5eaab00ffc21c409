// Where two plain values differ, for the message of a failed comparison.

/** The first paths at which they differ, with both values. */
export function firstDifferences(expected: unknown, found: unknown, limit = 10): string[] {
	const lines: string[] = [];
	compare(expected, found, '', lines, limit);
	return lines;
}

function compare(expected: unknown, found: unknown, path: string, lines: string[], limit: number): void {
	if (lines.length >= limit || Object.is(expected, found)) return;
	if (typeof expected !== 'object' || typeof found !== 'object' || expected === null || found === null) {
		lines.push(`${path}: expected ${shorten(expected)}, found ${shorten(found)}`);
		return;
	}
	for (const key of new Set([...Object.keys(expected), ...Object.keys(found)])) {
		const [one, other] = [expected, found].map((value) => (value as Record<string, unknown>)[key]);
		compare(one, other, `${path}/${key}`, lines, limit);
	}
}

function shorten(value: unknown): string {
	return String(JSON.stringify(value)).slice(0, 200);
}
