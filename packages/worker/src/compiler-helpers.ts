// Functions that compilers put around a bot's code and that a script's text refers to, though they are not part of it: esbuild (so
// also tsx) names inner functions with `__name`, TypeScript compiles `async` for older targets to `__awaiter`. The text of a function
// travels without them, so a script gets them here.

type Helper = (...args: never[]) => unknown;

/** esbuild's helpers, by their names. */
const esbuild: Readonly<Record<string, Helper>> = {
	__name: (target: object, value: string) => Object.defineProperty(target, 'name', { value, configurable: true }),
	__publicField: (object: object, key: PropertyKey, value: unknown) => {
		Object.defineProperty(object, key, { enumerable: true, configurable: true, writable: true, value });
		return value;
	},
	__spreadValues: (target: object, source: object | null) => Object.assign(target, source),
	__spreadProps: (target: object, source: object) => Object.defineProperties(target, Object.getOwnPropertyDescriptors(source)),
	__objRest: (source: Record<PropertyKey, unknown>, exclude: readonly PropertyKey[]) => {
		const rest: Record<PropertyKey, unknown> = {};
		for (const key of Reflect.ownKeys(source)) {
			if (!exclude.includes(key) && Object.prototype.propertyIsEnumerable.call(source, key)) rest[key] = source[key];
		}
		return rest;
	},
	__async: (self: unknown, args: Iterable<unknown>, generator: (...args: unknown[]) => Generator<unknown, unknown>) =>
		new Promise((resolve, reject) => {
			const run = generator.apply(self, args ? [...args] : []);
			const step = (advance: () => IteratorResult<unknown, unknown>): void => {
				try {
					const { done, value } = advance();
					if (done) resolve(value);
					else
						Promise.resolve(value).then(
							(sent) => step(() => run.next(sent)),
							(error: unknown) => step(() => run.throw(error)),
						);
				} catch (error) {
					reject(error);
				}
			};
			step(() => run.next());
		}),
};

/** Names of TypeScript's helpers: as functions of a file, or on the module `tslib` where `importHelpers` is set. */
const typescript =
	/^__(?:assign|asyncDelegator|asyncGenerator|asyncValues|await|awaiter|generator|read|rest|spread|spreadArray|values)$/;

/** Each name that looks like a helper, as a word that is not a property. */
const candidates = /(?<![.\w$])(?:__[a-zA-Z]+|tslib_\d+)\b/g;

/**
 * The helpers that a script refers to and does not declare itself.
 *
 * @param requireTslib Loads `tslib`, which discord.js depends on; undefined where it is not installed.
 */
export function helpersOf(source: string, requireTslib: () => object | undefined): Record<string, unknown> {
	const found: Record<string, unknown> = {};
	for (const name of new Set(source.match(candidates) ?? [])) {
		if (declares(source, name)) continue;
		if (Object.hasOwn(esbuild, name)) found[name] = esbuild[name];
		else if (typescript.test(name)) found[name] = Reflect.get(requireTslib() ?? {}, name);
		else if (name.startsWith('tslib_')) found[name] = requireTslib();
		if (found[name] === undefined) delete found[name];
	}
	return found;
}

function declares(source: string, name: string): boolean {
	return new RegExp(`\\b(?:function|var|let|const)\\s+${name}\\b`).test(source);
}
