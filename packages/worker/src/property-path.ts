// Reads a dotted path such as `guilds.cache.size` from a client, for fetchClientValues.

/**
 * The keys of each path that was read. A key that was cut from a message is a new string, which the engine must look up among those
 * that it knows before it can find a property; that took longer than everything else of a read.
 */
const keysOfPaths = new Map<string, readonly string[]>();

/** A fleet asks for a few paths; when one makes up more, all are forgotten. */
const maxPaths = 500;

/** The value at a dotted path. Throws a TypeError that names the part of the path that has no value to read from. */
export function readPath(root: unknown, path: string): unknown {
	const keys = keysOf(path);
	let value: unknown = root;
	for (let index = 0; index < keys.length; index++) {
		if (value === null || value === undefined) {
			const walked = ['client', ...keys.slice(0, index)].join('.');
			throw new TypeError(`cannot read "${path}" from the client: ${walked} is ${String(value)}`);
		}
		value = (value as Record<string, unknown>)[keys[index] as string];
	}
	return value;
}

function keysOf(path: string): readonly string[] {
	const known = keysOfPaths.get(path);
	if (known) return known;
	if (keysOfPaths.size >= maxPaths) keysOfPaths.clear();
	const keys = path.split('.');
	keysOfPaths.set(path, keys);
	return keys;
}
