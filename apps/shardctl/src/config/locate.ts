// Finds the line of a key in the text of a config file. Pure. A text search, so that it works for JSON, JavaScript and
// TypeScript alike; a key that is not written in the text (computed, spread) has no line.

/** The line, from 1, of the character at an offset. */
export function lineAt(source: string, offset: number): number {
	return source.slice(0, offset).split('\n').length;
}

/** The line of a dotted path such as `respawn.maxRestarts`: each part is looked for after the one before it. */
export function lineOfKey(source: string, path: string): number | undefined {
	let from = 0;
	for (const part of path.split('.')) {
		const key = new RegExp(`(^|[{,\\s])["']?${escaped(part)}["']?\\s*:`, 'm');
		const found = key.exec(source.slice(from));
		if (!found) return from === 0 ? undefined : lineAt(source, from);
		from += found.index + (found[1] as string).length;
	}
	return lineAt(source, from);
}

function escaped(text: string): string {
	return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
