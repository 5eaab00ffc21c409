// Where imports cannot be seen (Node 20 and 22, see module-loads.ts), the ES modules that matter are evaluated before the bot: the
// bot's own import then gets the same instance. Only what the bot can reach and is likely to import is loaded, because a module
// that it does not use costs it a few milliseconds for nothing.
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, extname, join } from 'node:path';
import { type OnModule, requireEsm, seesImports } from './module-loads.js';

/** Packages of the bot that exist as CommonJS and as ES module, with what makes an import of the latter likely. */
const candidates: readonly { name: string; likely(bot: Bot): boolean }[] = [
	// Many ES module bots register their commands with a REST object, and npm hoists the package of discord.js.
	{
		name: '@discordjs/rest',
		likely: ({ isModule, imports, depends }) =>
			isModule || ((depends('@discordjs/rest') || depends('@discordjs/core')) && imports()),
	},
	{
		name: '@discordjs/ws',
		likely: ({ isModule, imports, depends }) =>
			(depends('@discordjs/ws') || depends('@discordjs/core')) && (isModule || imports()),
	},
];

interface Bot {
	/** Whether the bot file itself is an ES module, as far as its name and its package say. */
	isModule: boolean;
	/** Whether a bot file that is CommonJS imports something, which may be the bot itself. Reads the file, so it is asked last. */
	imports(): boolean;
	/** Whether the bot's package names another one as a dependency. */
	depends(name: string): boolean;
}

/** Evaluates them and calls back with their namespaces. */
export function loadEarlyModules(botFile: string, onModule: OnModule): void {
	const jiti = usesJiti();
	if (jiti) loadForJiti(botFile);
	if (seesImports) return;
	// jiti evaluates what a bot imports as an ES module, whatever the bot itself is.
	const bot = { ...describeBot(botFile), ...(jiti && { isModule: true }) };
	for (const { name, likely } of candidates) {
		if (!likely(bot)) continue;
		const file = esmEntry(botFile, name);
		if (file === undefined) continue;
		const namespace = requireEsm(file);
		if (namespace !== undefined) onModule(namespace, file);
	}
}

/**
 * jiti/register evaluates discord.js where `Module.prototype.load` does not see it, but takes a module that is loaded already. Loaded
 * here, it passes our hook.
 */
function loadForJiti(botFile: string): void {
	try {
		createRequire(botFile)('discord.js');
	} catch {
		// The bot has none, or it cannot be loaded: the bot's own import shows why.
	}
}

function usesJiti(): boolean {
	return [...process.execArgv, process.env.NODE_OPTIONS ?? ''].some((option) => option.includes('jiti'));
}

/** The ES module beside the CommonJS entry that `require` finds: `dist/index.mjs` beside `dist/index.js`. */
function esmEntry(botFile: string, name: string): string | undefined {
	try {
		const file = createRequire(botFile).resolve(name).replace(/\.js$/, '.mjs');
		return file.endsWith('.mjs') && existsSync(file) ? file : undefined;
	} catch {
		return undefined;
	}
}

function describeBot(botFile: string): Bot {
	const manifest = nearestManifest(dirname(botFile));
	const extension = extname(botFile);
	const dependencies = { ...manifest.dependencies, ...manifest.devDependencies };
	return {
		isModule: extension === '.mjs' || extension === '.mts' || (manifest.type === 'module' && !/^\.c[jt]s$/.test(extension)),
		imports: () => /\bimport\s*\(/.test(readText(botFile)),
		depends: (name) => Object.hasOwn(dependencies, name),
	};
}

function readText(file: string): string {
	try {
		return readFileSync(file, 'utf8');
	} catch {
		return '';
	}
}

interface Manifest {
	type?: string;
	dependencies?: Record<string, string>;
	devDependencies?: Record<string, string>;
}

function nearestManifest(start: string): Manifest {
	for (let folder = start; ; folder = dirname(folder)) {
		const file = join(folder, 'package.json');
		try {
			// A read that fails costs ten times as much.
			if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as Manifest;
		} catch {
			// No JSON: that of a folder above is used.
		}
		if (folder === dirname(folder)) return {};
	}
}
