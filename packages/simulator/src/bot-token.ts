// Which bot token is valid: one, or any, for a bot that has its own token in its code.
import { randomBytes } from 'node:crypto';

export interface BotTokenOptions {
	/** The valid one; made up when left out. */
	given: string | undefined;
	botId: string;
	/** Accept every other token as well. */
	any: boolean;
}

export class BotToken {
	readonly #botId: string;
	readonly #any: boolean;
	#value: string;

	constructor({ given, botId, any }: BotTokenOptions) {
		this.#botId = botId;
		this.#any = any;
		this.#value = given?.replace(/^Bot /, '') ?? newToken(botId);
	}

	/** The valid token. */
	get value(): string {
		return this.#value;
	}

	/** Whether a client may log in with this one; libraries send it with and without `Bot `. */
	accepts(token: string): boolean {
		const bare = token.replace(/^Bot /, '');
		return bare === this.#value || (this.#any && bare !== '');
	}

	/** Whether a REST request is authorized, by its header. */
	authorizes(header: string | undefined): boolean {
		return header?.startsWith('Bot ') === true && this.accepts(header);
	}

	/** Discord has reset it. */
	reset(): void {
		this.#value = newToken(this.#botId);
	}
}

/** The shape of a bot token: the bot's id, a time and a signature. */
function newToken(botId: string): string {
	return `${Buffer.from(botId).toString('base64url')}.${randomBytes(4).toString('base64url')}.${randomBytes(28).toString('base64url')}`;
}
