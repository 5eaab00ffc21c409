// Reads objects of libraries that are not imported here.

/** A field of a value that may not be an object. */
export function field(value: unknown, name: string): unknown {
	return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

/** Whether every field named is a function. */
export function hasMethods(value: unknown, ...names: string[]): boolean {
	return names.every((name) => typeof field(value, name) === 'function');
}
