// Notices when the bot loads a module, right after it was evaluated and before the code that loads it continues. Which modules
// matter is the caller's business.
//
// What sees a load was tried with every loader of test/compat/loaders.test.ts on Node 20 to 26:
// * `Module.prototype.load` sees every CommonJS module, also one that is imported. `require.extensions` does not: tsx replaces it.
//   The one exception is jiti/register on Node 22 and later, which evaluates an imported CommonJS module by itself.
// * `module.registerHooks()` sees every import, on this thread and at no measurable cost. On Node 22 it cannot be combined with a
//   loader of `module.register()` ("loadSync is not a function"), so it is used from Node 24 on.
// * `module.register()` would do for imports on Node 20 and 22, but its thread takes 12 to 17 MiB. There the ES modules that matter
//   are loaded ahead instead, see early-modules.ts.
import Module, { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

/** Gets the exports of a module that was evaluated: those of a CommonJS module, or of an ES module the ones that are asked for. */
export type OnModule = (exports: unknown, file: string) => void;

export interface WantedModules {
	/** Whether the exports of a CommonJS file are wanted. Called for every file that the bot loads, so it must be fast. */
	commonjs(file: string): boolean;
	/** The exports that are wanted of an ES module; undefined for any other file. */
	esm(file: string): readonly string[] | undefined;
}

/** From this major version on `module.registerHooks()` and loaders of `module.register()` work side by side. */
const safeHooksSince = 24;
const nodeMajor = Number(process.versions.node.split('.')[0]);

/** Whether imports of ES modules can be seen on this version of Node. */
export const seesImports = nodeMajor >= safeHooksSince;

const callbackKey = Symbol.for('shardctl.worker.moduleLoaded');

/** Calls back once per wanted module. */
export function onModuleLoad(wanted: WantedModules, onModule: OnModule): void {
	const seen = new WeakSet<object>();
	const once: OnModule = (exports, file) => {
		// eris exports a function.
		if ((typeof exports !== 'object' && typeof exports !== 'function') || exports === null || seen.has(exports)) return;
		seen.add(exports);
		onModule(exports, file);
	};
	hookCommonJs(wanted, once);
	if (seesImports) hookImports(wanted, once);
}

interface LoadedModule {
	exports: unknown;
}

function hookCommonJs(wanted: WantedModules, onModule: OnModule): void {
	const prototype = Module.prototype as unknown as { load(this: LoadedModule, file: string): void };
	const { load } = prototype;
	prototype.load = function loadAndNotice(this: LoadedModule, file: string): void {
		load.call(this, file);
		if (wanted.commonjs(file)) onModule(this.exports, file);
	};
}

interface LoadResult {
	format?: string | null;
	source?: string | ArrayBuffer | Uint8Array | null;
}

type RegisterHooks = (hooks: {
	load(url: string, context: object, nextLoad: (url: string, context: object) => LoadResult): LoadResult;
}) => void;

/**
 * An imported module reports itself: a line at its end passes its exports. They are named one by one, because a module that imports
 * itself would meet the wrapper of another loader. A name that the module does not have is undefined.
 */
function hookImports(wanted: WantedModules, onModule: OnModule): void {
	const { registerHooks } = Module as unknown as { registerHooks?: RegisterHooks };
	if (!registerHooks) return;
	Object.defineProperty(globalThis, callbackKey, { value: onModule, configurable: true });
	registerHooks({
		load(url, context, nextLoad) {
			const result = nextLoad(url, context);
			if (!url.startsWith('file:') || result.source === null || result.source === undefined) return result;
			const file = fileURLToPath(url.split('?')[0] as string);
			const exports = exportsText(file, result.format, wanted);
			if (exports === undefined) return result;
			const source = typeof result.source === 'string' ? result.source : Buffer.from(result.source as Uint8Array).toString();
			const call = `globalThis[Symbol.for(${JSON.stringify(callbackKey.description)})]?.(${exports}, ${JSON.stringify(file)});`;
			return { ...result, source: `${source}\n;${call}\n` };
		},
	});
}

function exportsText(file: string, format: string | null | undefined, wanted: WantedModules): string | undefined {
	if (format === 'commonjs') return wanted.commonjs(file) ? 'module.exports' : undefined;
	if (format !== 'module') return undefined;
	const names = wanted.esm(file)?.map((name) => `${name}: typeof ${name} === 'undefined' ? undefined : ${name}`);
	return names && `{ ${names.join(', ')} }`;
}

/** Evaluates an ES module now. Undefined where it is not there, or this version of Node cannot. */
export function requireEsm(file: string): unknown {
	// Node 20.19 and 22 print a warning for it, which is no business of the bot's author.
	const { emitWarning } = process;
	process.emitWarning = () => {};
	try {
		return createRequire(file)(file);
	} catch {
		return undefined;
	} finally {
		process.emitWarning = emitWarning;
	}
}
