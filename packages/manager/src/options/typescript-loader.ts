// Finds the loader for a bot file in TypeScript among the bot's own dependencies, so that it runs as its author runs it.
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, extname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

export interface TypeScriptLoader {
	/** The package. */
	name: string;
	/** The arguments for node that load it. */
	execArgv: string[];
}

/** What node loads: a module, or a file beside it that the package exports for imports only. */
interface Entry {
	flag: '--require' | '--import' | '--loader';
	module: string;
	beside?: string;
}

interface Loader {
	name: string;
	commonjs: Entry;
	esm: Entry;
	/** Both are loaded, whatever the bot file is. */
	together?: true;
}

/** In order of preference. None of them checks types: a type error does not end a bot. */
const loaders: readonly Loader[] = [
	{
		name: 'tsx',
		// As the command tsx does: sapphire and others look for it among the modules that were loaded with --require.
		commonjs: { flag: '--require', module: 'tsx/cjs' },
		esm: { flag: '--import', module: 'tsx/esm' },
		together: true,
	},
	{
		name: 'ts-node',
		commonjs: { flag: '--require', module: 'ts-node/register/transpile-only' },
		esm: { flag: '--loader', module: 'ts-node/esm/transpile-only' },
	},
	{
		name: '@swc-node/register',
		commonjs: { flag: '--require', module: '@swc-node/register' },
		esm: { flag: '--import', module: '@swc-node/register', beside: 'esm/esm-register.mjs' },
	},
];

const loads = /(?:^|\s)(?:-r|--require|--import|--loader|--experimental-(?:loader|strip-types|transform-types))(?:=|\s|$)/;

/**
 * Undefined for a file that is no TypeScript, when the arguments for node or `NODE_OPTIONS` load something already, and when there is
 * no loader. Where Node strips types itself, only tsx is used, and only if the bot's package.json lists it.
 */
export function typeScriptLoader(
	botFile: string,
	{
		execArgv,
		nodeOptions = '',
		besideImport = false,
		stripsTypes = nodeStripsTypes(),
	}: {
		execArgv: readonly string[];
		nodeOptions?: string | undefined;
		/** Another module is loaded with `--import`: node then reads a CommonJS bot file through the hooks for ES modules, too. */
		besideImport?: boolean;
		stripsTypes?: boolean;
	},
): TypeScriptLoader | undefined {
	const extension = extname(botFile);
	if (!/^\.(?:[cm]?ts|tsx)$/.test(extension)) return undefined;
	if (loads.test(nodeOptions) || execArgv.some((argument) => loads.test(argument))) return undefined;
	const manifest = nearestManifest(botFile);
	// Node does not strip types of .tsx files.
	const needed = !stripsTypes || extension === '.tsx';
	if (!needed && !lists(manifest, 'tsx')) return undefined;
	const isModule = extension === '.mts' || (extension !== '.cts' && manifest.type === 'module');
	for (const { name, commonjs, esm, together } of needed ? loaders : loaders.slice(0, 1)) {
		// Not one of NODE_PATH, which package managers set for the programs that they run.
		if (!lists(manifest, name) && !isInstalled(botFile, name)) continue;
		const both = together || (besideImport && !isModule && commonjs.flag === '--require');
		const args = (both ? [commonjs, esm] : [isModule ? esm : commonjs]).map((entry) => loadingArgs(botFile, entry));
		if (!args.includes(undefined)) return { name, execArgv: args.flatMap((found) => found ?? []) };
	}
	return undefined;
}

/** From 22.18, 23.6 and 24 on. */
function nodeStripsTypes(): boolean {
	return Boolean((process.features as { typescript?: unknown }).typescript);
}

function loadingArgs(botFile: string, { flag, module, beside }: Entry): string[] | undefined {
	try {
		const main = createRequire(botFile).resolve(module);
		const path = beside === undefined ? main : join(dirname(main), beside);
		if (!existsSync(path)) return undefined;
		return [flag, flag === '--require' ? path : pathToFileURL(path).href];
	} catch {
		return undefined;
	}
}

/** Whether a `node_modules` in or above the bot's folder has the package. */
function isInstalled(botFile: string, name: string): boolean {
	for (let folder = dirname(botFile); ; folder = dirname(folder)) {
		if (existsSync(join(folder, 'node_modules', name))) return true;
		if (folder === dirname(folder)) return false;
	}
}

interface Manifest {
	type?: string;
	dependencies?: Record<string, string>;
	devDependencies?: Record<string, string>;
}

function lists({ dependencies, devDependencies }: Manifest, name: string): boolean {
	return Object.hasOwn({ ...dependencies, ...devDependencies }, name);
}

function nearestManifest(botFile: string): Manifest {
	for (let folder = dirname(botFile); ; folder = dirname(folder)) {
		try {
			return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;
		} catch {
			if (folder === dirname(folder)) return {};
		}
	}
}
