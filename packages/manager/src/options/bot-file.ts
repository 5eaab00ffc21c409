// Checks the bot file before anything is forked, so that a typo is one message instead of a crash per worker.
import { accessSync, constants, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { ShardctlError } from '@shardctl/core';

/** The absolute path of a bot file, or the `BOT_FILE_INVALID` error that says why it cannot be used. */
export function absoluteBotFile(file: string, cwd: string): string | ShardctlError {
	if (file === '') return new ShardctlError('BOT_FILE_INVALID', 'no bot file was given');
	const path = resolve(cwd, file);
	if (/\.(?:py|rb|go|rs|java|cs|php|lua)$/.test(file)) {
		return new ShardctlError(
			'BOT_FILE_INVALID',
			`${path} is no JavaScript or TypeScript: shardctl runs bots for Node.js, and other languages are not supported yet`,
		);
	}
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
