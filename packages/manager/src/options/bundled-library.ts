// Recognises a bot file that has discord.js bundled in, from its text: its modules are never loaded one by one, so a worker cannot hook them.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';

/** discord.js with what it needs is larger, also minified. */
const minBytes = 200 * 1024;
const maxBytes = 32 * 1024 * 1024;
/** What discord.js reads from the environment, and a name of its public API: minifiers keep both. */
const marks = ['SHARDING_MANAGER_MODE', 'ShardClientUtil'];

/** The file with discord.js in it: the bot file, or one beside it, as bundlers split their output. */
export function bundleWithDiscordJs(botFile: string): string | undefined {
	return [botFile, ...scriptsBeside(botFile)].find(hasDiscordJs);
}

function hasDiscordJs(file: string): boolean {
	try {
		const { size } = statSync(file);
		if (size < minBytes || size > maxBytes) return false;
		const text = readFileSync(file, 'utf8');
		return marks.every((mark) => text.includes(mark));
	} catch {
		return false;
	}
}

function scriptsBeside(botFile: string): string[] {
	const folder = dirname(botFile);
	try {
		return readdirSync(folder)
			.filter((name) => /^\.[cm]?js$/.test(extname(name)))
			.map((name) => join(folder, name))
			.filter((file) => file !== botFile);
	} catch {
		return [];
	}
}
