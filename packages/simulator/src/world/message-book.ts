// The latest messages of the channels in which something was said. Bounded: the oldest message of a channel goes first, and the
// channel that was quiet for longest.
import type { Message } from './model.js';

export interface MessageBookLimits {
	perChannel: number;
	channels: number;
}

export class MessageBook {
	readonly #limits: MessageBookLimits;
	readonly #channels = new Map<string, Map<string, Message>>();

	constructor(limits: MessageBookLimits = { perChannel: 200, channels: 5000 }) {
		this.#limits = limits;
	}

	get(channelId: string, messageId: string): Message | undefined {
		return this.#channels.get(channelId)?.get(messageId);
	}

	/** Newest first, as Discord lists them. */
	list(channelId: string): Message[] {
		return [...(this.#channels.get(channelId)?.values() ?? [])].reverse();
	}

	/** Adds a message, or replaces the one of its id in its place. */
	add(message: Message): void {
		const book = this.#channels.get(message.channel_id) ?? new Map<string, Message>();
		this.#channels.delete(message.channel_id);
		this.#channels.set(message.channel_id, book);
		book.set(message.id, message);
		if (book.size > this.#limits.perChannel) dropOldest(book);
		if (this.#channels.size > this.#limits.channels) dropOldest(this.#channels);
	}

	delete(channelId: string, messageId: string): boolean {
		return this.#channels.get(channelId)?.delete(messageId) ?? false;
	}

	forgetChannel(channelId: string): void {
		this.#channels.delete(channelId);
	}
}

function dropOldest(map: Map<string, unknown>): void {
	const [oldest] = map.keys();
	if (oldest !== undefined) map.delete(oldest);
}
