// Checks the form of a token, without asking anybody. A token's first part is the bot's id in base64.
import { type Finding, fail, ok, warn } from './finding.js';

export function checkToken(token: string): Finding {
	if (token === '') {
		return fail(
			'token',
			'no token was given',
			'set DISCORD_TOKEN, or use --token-file; copy the token from https://discord.com/developers/applications',
		);
	}
	const parts = token.split('.');
	const id = Buffer.from(parts[0] ?? '', 'base64').toString('latin1');
	if (parts.length === 3 && /^\d{15,20}$/.test(id)) return ok('token', `has the form of a token, of the bot ${id}`);
	const looksLikeSecret = /^[\w-]{32}$/.test(token);
	return warn(
		'token',
		'does not have the form of a bot token (three parts with dots between)',
		looksLikeSecret
			? "this looks like an OAuth2 client secret: copy the token of the page's Bot tab instead"
			: 'check that all of it was copied, without quotes',
	);
}
