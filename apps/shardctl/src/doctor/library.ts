// Checks which Discord library the bot uses, as seen from its folder, and whether shardctl supports that version.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { bundleWithDiscordJs } from '@shardctl/manager';
import { type Finding, fail, ok, warn } from './finding.js';

interface Library {
	name: string;
	/** The versions that shardctl supports: for people, and from the first (inclusive) to the last (exclusive) as numbers. */
	supported: string;
	from: number;
	below?: number;
}

/** In this order where the bot's package.json does not say which it is. `0.13` is 13, `14.0` is 14,000. */
const libraries: readonly Library[] = [
	{ name: 'discord.js', supported: '14', from: 14_000, below: 15_000 },
	{ name: '@discordjs/core', supported: '0.6 and newer', from: 6 },
	{ name: '@discordjs/ws', supported: '0.8 and newer', from: 8 },
	{ name: 'eris', supported: '0.13 and newer', from: 13 },
	{ name: '@projectdysnomia/dysnomia', supported: '0.1 and newer', from: 0 },
	{ name: 'oceanic.js', supported: '1', from: 1000 },
];

export function checkLibrary(botFile: string): Finding {
	const bundle = bundleWithDiscordJs(botFile);
	if (bundle !== undefined) {
		return warn(
			'library',
			`discord.js is bundled into ${basename(bundle)}, where shardctl cannot hook it, unless the bot calls attach(client)`,
			'leave discord.js out of the bundle (esbuild: --external:discord.js), or call attach(client) from shardctl/worker before login',
		);
	}
	const found = installedLibrary(botFile);
	if (!found) {
		return warn(
			'library',
			'no Discord library found in or above the folder of the bot',
			"npm install discord.js@14, in the bot's folder",
		);
	}
	const { library, version } = found;
	const isDiscordJs = library.name === 'discord.js';
	const update = `npm install ${library.name}@${isDiscordJs ? '14' : 'latest'}`;
	if (!supports(library, version)) {
		const what = `${library.name} ${version}: shardctl supports ${library.supported}`;
		// Such a discord.js runs, without calls, figures and pace; attach() refuses the others.
		return isDiscordJs ? warn('library', what, update) : fail('library', what, update);
	}
	const attach = isDiscordJs ? '' : '; the bot must call attach(client) from shardctl/worker';
	return ok('library', `${library.name} ${version}${attach}`);
}

function supports({ from, below = Number.POSITIVE_INFINITY }: Library, version: string): boolean {
	const [major = 0, minor = 0] = version.split('.').map(Number);
	const number = major * 1000 + minor;
	return number >= from && number < below;
}

/** One that the bot's package.json lists; else any that the bot could load, which may be there because another package needs it. */
function installedLibrary(botFile: string): { library: Library; version: string } | undefined {
	const { dependencies, devDependencies } = nearestManifest(botFile);
	const listed = libraries.filter(({ name }) => Object.hasOwn({ ...dependencies, ...devDependencies }, name));
	for (const library of [...listed, ...libraries]) {
		const version = installedVersion(botFile, library.name);
		if (version !== undefined) return { library, version };
	}
	return undefined;
}

/** A package's `exports` may hide its package.json, so that file is searched for above the package's entry file. */
function installedVersion(botFile: string, name: string): string | undefined {
	try {
		let folder = dirname(createRequire(botFile).resolve(name));
		for (; folder !== dirname(folder); folder = dirname(folder)) {
			const manifest = readManifest(join(folder, 'package.json'));
			// An alias gives a package another name.
			if (manifest?.version !== undefined) return manifest.version;
		}
	} catch {
		// Not installed.
	}
	return undefined;
}

interface Manifest {
	name?: string;
	version?: string;
	dependencies?: Record<string, string>;
	devDependencies?: Record<string, string>;
}

function nearestManifest(file: string): Manifest {
	for (let folder = dirname(file); ; folder = dirname(folder)) {
		const manifest = readManifest(join(folder, 'package.json'));
		if (manifest || folder === dirname(folder)) return manifest ?? {};
	}
}

function readManifest(path: string): Manifest | undefined {
	try {
		return JSON.parse(readFileSync(path, 'utf8')) as Manifest;
	} catch {
		return undefined;
	}
}
