// The environment of a child process: a copy of an inherited one with changes on top. The manager's own is never changed.

type Environment = Readonly<Record<string, string | undefined>>;

/** Later sources win; a variable whose value is undefined is left out. */
export function childEnvironment(...sources: readonly Environment[]): Record<string, string> {
	const result: Record<string, string> = {};
	for (const [name, value] of Object.entries(Object.assign({}, ...sources) as Environment)) {
		if (value !== undefined) result[name] = value;
	}
	return result;
}
