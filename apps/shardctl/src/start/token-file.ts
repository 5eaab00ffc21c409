// Reads the bot's token from a file, as an alternative to the environment.
import { readFileSync } from 'node:fs';
import { messageOf, ShardctlError } from '@shardctl/core';

/** The token in a file, without surrounding white space. Throws `TOKEN_MISSING` when it cannot be read or is empty. */
export function readTokenFile(path: string): string {
	let token: string;
	try {
		token = readFileSync(path, 'utf8').trim();
	} catch (cause) {
		throw new ShardctlError('TOKEN_MISSING', `the token file ${path} cannot be read: ${messageOf(cause)}`, { cause });
	}
	if (token === '') throw new ShardctlError('TOKEN_MISSING', `the token file ${path} is empty`);
	return token;
}
