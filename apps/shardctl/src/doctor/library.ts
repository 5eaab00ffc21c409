// Checks which Discord library is installed, as seen from the bot's folder.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { type Finding, ok, warn } from './finding.js';

const others = ['@discordjs/core', '@discordjs/ws', 'eris', 'oceanic.js'];
const remedy = 'npm install discord.js@14';

export function checkLibrary(botFile: string): Finding {
	const version = installedVersion(botFile, 'discord.js');
	if (version !== undefined) {
		const [major = 0] = version.split('.').map(Number);
		if (major === 14) return ok('library', `discord.js ${version}`);
		return warn('library', `discord.js ${version}: shardctl is tested with 14`, remedy);
	}
	const other = others.find((name) => installedVersion(botFile, name) !== undefined);
	if (other)
		return ok('library', `${other} ${installedVersion(botFile, other)}; the bot must call attach(client) from shardctl/worker`);
	return warn('library', 'no Discord library found in or above the folder of the bot', `${remedy}, in the bot's folder`);
}

/** A package's `exports` may hide its package.json, so that file is searched for above the package's entry file. */
function installedVersion(botFile: string, name: string): string | undefined {
	try {
		let folder = dirname(createRequire(botFile).resolve(name));
		for (; folder !== dirname(folder); folder = dirname(folder)) {
			const manifest = readManifest(join(folder, 'package.json'));
			if (manifest?.name === name) return manifest.version;
		}
	} catch {
		// Not installed.
	}
	return undefined;
}

function readManifest(path: string): { name?: string; version?: string } | undefined {
	try {
		return JSON.parse(readFileSync(path, 'utf8')) as { name?: string; version?: string };
	} catch {
		return undefined;
	}
}
