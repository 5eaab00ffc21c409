// The default name of a manager, under which it is found.
import { readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** The `name` of the nearest package.json above the bot file, without its scope; else the name of the bot's folder. */
export function defaultManagerName(botFile: string): string {
	for (let folder = dirname(botFile); ; folder = dirname(folder)) {
		const name = packageName(join(folder, 'package.json'));
		if (name) return safeName(name);
		if (folder === dirname(folder)) return safeName(basename(dirname(botFile)));
	}
}

function packageName(path: string): string | undefined {
	try {
		const { name } = JSON.parse(readFileSync(path, 'utf8')) as { name?: unknown };
		return typeof name === 'string' && name !== '' ? name.replace(/^@[^/]+\//, '') : undefined;
	} catch {
		return undefined;
	}
}

/** Whether Windows takes a file of this name for a device, whatever follows a dot. */
export function isDeviceName(name: string): boolean {
	return /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i.test(name);
}

/** Names become file names: anything else than letters, digits, dots, underscores and dashes turns into a dash. */
function safeName(name: string): string {
	const safe = name.replace(/[^a-z0-9._-]+/gi, '-').replace(/^[^a-z0-9]+/i, '');
	return (isDeviceName(safe) ? `bot-${safe}` : safe).slice(0, 64) || 'bot';
}
