// Checks the format of a token, without a request. The first part of a token is the bot's id in base64.
import { type Finding, fail, ok, warn } from './finding.js';

/** @param place Where it was found, if it was not given. */
export function checkToken(token: string, place?: string): Finding {
	if (token === '') {
		return fail(
			'token',
			'no token was given',
			'set DISCORD_TOKEN, or use --token-file; copy the token from https://discord.com/developers/applications',
		);
	}
	if (/^["'`]|["'`]$/.test(token)) {
		return fail('token', 'is in quotes, which are not part of a token', 'remove the quotes where the token is set');
	}
	const parts = token.split('.');
	const id = Buffer.from(parts[0] ?? '', 'base64').toString('latin1');
	if (parts.length === 3 && /^\d{15,20}$/.test(id)) {
		return ok('token', `is well-formed, for the bot ${id}${place === undefined ? '' : `, from ${place}`}`);
	}
	const looksLikeSecret = /^[\w-]{32}$/.test(token);
	return warn(
		'token',
		'is not in the format of a bot token (three parts, separated by dots)',
		looksLikeSecret
			? 'this looks like an OAuth2 client secret: copy the token from the Bot page of the developer portal instead'
			: 'check that the whole token was copied, without quotes',
	);
}
