// Takes the bot's token out of everything that leaves over TCP: a client that may read the fleet must not be able to act as the bot.

/** What replaces it. */
const instead = '[the token of the bot]';
/** A shorter one is no token of Discord's, and replacing it would garble what has nothing to do with it. */
const shortest = 16;

export interface Redaction {
	text(text: string): string;
	bytes(bytes: Buffer): Buffer;
}

/** Changes nothing. */
export const noRedaction: Redaction = { text: (text) => text, bytes: (bytes) => bytes };

/** For text that is JSON or holds none of the characters that JSON escapes. */
export function redactionOf(token: string | undefined): Redaction {
	if (token === undefined || token.length < shortest) return noRedaction;
	const secret = JSON.stringify(token).slice(1, -1);
	const text = (given: string) => given.replaceAll(secret, instead);
	return {
		text,
		bytes: (given) => (given.includes(secret) ? Buffer.from(text(given.toString('utf8'))) : given),
	};
}
