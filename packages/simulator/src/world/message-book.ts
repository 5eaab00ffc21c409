// The latest messages of the channels in which something was said. Bounded per channel and in all: the oldest message of a
// channel goes first, and the channel that was quiet for longest.
import type { Message } from './model.js';

export interface MessageBookLimits {
	perChannel: number;
	total: number;
}

export class MessageBook {
	readonly #limits: MessageBookLimits;
	/** In the order in which they were written in last. */
	readonly #channels = new Map<string, Map<string, Message>>();
	#total = 0;

	constructor(limits: MessageBookLimits = { perChannel: 100, total: 50_000 }) {
		this.#limits = limits;
	}

	get(channelId: string, messageId: string): Message | undefined {
		return this.#channels.get(channelId)?.get(messageId);
	}

	/** Newest first, as Discord lists them. */
	list(channelId: string): Message[] {
		return [...(this.#channels.get(channelId)?.values() ?? [])].reverse();
	}

	/** The newest message that matches, the channels in which something was said last first. */
	newest(matches: (message: Message) => boolean): Message | undefined {
		for (const channelId of [...this.#channels.keys()].reverse()) {
			const found = this.list(channelId).find(matches);
			if (found) return found;
		}
		return undefined;
	}

	/** Adds a message, or replaces the one of its id in its place. */
	add(message: Message): void {
		const book = this.#channels.get(message.channel_id) ?? new Map<string, Message>();
		this.#channels.delete(message.channel_id);
		this.#channels.set(message.channel_id, book);
		if (!book.has(message.id)) this.#total++;
		book.set(message.id, message);
		if (book.size > this.#limits.perChannel) this.delete(message.channel_id, oldestKey(book));
		while (this.#total > this.#limits.total) this.forgetChannel(oldestKey(this.#channels));
	}

	delete(channelId: string, messageId: string): boolean {
		const deleted = this.#channels.get(channelId)?.delete(messageId) ?? false;
		if (deleted) this.#total--;
		return deleted;
	}

	forgetChannel(channelId: string): void {
		this.#total -= this.#channels.get(channelId)?.size ?? 0;
		this.#channels.delete(channelId);
	}
}

function oldestKey(map: Map<string, unknown>): string {
	const [oldest] = map.keys();
	return oldest ?? '';
}
