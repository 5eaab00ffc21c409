// Which token a start uses: the one that was given, or else the bot's own, from where the bot keeps it.
import { resolve } from 'node:path';
import { type FoundToken, findToken } from './find-token.js';
import type { StartPlan } from './resolve-start.js';
import { readTokenFile } from './token-file.js';

/**
 * The token that was given, without `place`, or the one that was found; undefined where there is none. Throws `TOKEN_MISSING` for a token file
 * that cannot be read, and for several tokens.
 */
export function botToken({ file, manager, run: { tokenFile } }: StartPlan): Partial<FoundToken> & { token?: string } {
	if (tokenFile !== undefined) return { token: readTokenFile(tokenFile) };
	if (manager.token !== undefined) return { token: manager.token };
	if (process.env.DISCORD_TOKEN) return { token: process.env.DISCORD_TOKEN };
	const cwd = manager.cwd ?? process.cwd();
	return findToken({ cwd, botFile: resolve(cwd, file ?? 'worker.js'), execArgv: manager.execArgv ?? [], env: process.env }) ?? {};
}
