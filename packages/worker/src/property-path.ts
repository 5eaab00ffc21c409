// Reads a dotted path such as `guilds.cache.size` from a client, for fetchClientValues.

/** The value at a dotted path. Throws a TypeError that names the part of the path that has no value to read from. */
export function readPath(root: unknown, path: string): unknown {
	let value: unknown = root;
	let walked = 'client';
	for (const key of path.split('.')) {
		if (value === null || value === undefined) {
			throw new TypeError(`cannot read "${path}" from the client: ${walked} is ${String(value)}`);
		}
		value = (value as Record<string, unknown>)[key];
		walked += `.${key}`;
	}
	return value;
}
