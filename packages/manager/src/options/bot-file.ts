// Checks the bot file before anything is forked, so that a typo is one message instead of a crash per worker.
import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import { extname, join, resolve } from 'node:path';
import { ShardctlError } from '@shardctl/core';

const extensions = ['.js', '.cjs', '.mjs', '.ts', '.cts', '.mts'];

/**
 * The absolute path of a bot file, found as `node .` and `node src/index` find it, or the `BOT_FILE_INVALID` error that says why it cannot be
 * used. `any`: a file that node does not run.
 */
export function absoluteBotFile(file: string, cwd: string, { any = false } = {}): string | ShardctlError {
	if (file === '') return new ShardctlError('BOT_FILE_INVALID', 'no bot file was given');
	const named = resolve(cwd, file);
	const path = (any ? undefined : entryOf(named)) ?? named;
	try {
		if (statSync(path).isDirectory()) {
			return new ShardctlError(
				'BOT_FILE_INVALID',
				`${path} is a directory: name the file that starts the bot, such as ${file}/index.js`,
			);
		}
		accessSync(path, constants.R_OK);
		return path;
	} catch (cause) {
		const code = (cause as NodeJS.ErrnoException).code;
		const why = code === 'EACCES' ? 'cannot be read: check its permissions' : 'does not exist: check the path';
		return new ShardctlError('BOT_FILE_INVALID', `the bot file ${path} ${why}`, { cause });
	}
}

/** The file that a folder or a path without an extension means; undefined where it means none, or is a file itself. */
function entryOf(path: string): string | undefined {
	if (isFile(path)) return undefined;
	const withExtension = (start: string) => extensions.map((extension) => start + extension).find(isFile);
	const main = mainOf(path);
	return (
		(extname(path) === '' ? withExtension(path) : undefined) ??
		(main === undefined
			? undefined
			: [main, withExtension(main), withExtension(join(main, 'index'))].find((file) => file && isFile(file))) ??
		withExtension(join(path, 'index'))
	);
}

function mainOf(folder: string): string | undefined {
	try {
		const { main } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { main?: unknown };
		return typeof main === 'string' ? join(folder, main) : undefined;
	} catch {
		return undefined;
	}
}

function isFile(path: string): boolean {
	try {
		return statSync(path).isFile();
	} catch {
		return false;
	}
}
