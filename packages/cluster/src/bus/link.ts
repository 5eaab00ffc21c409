// One direction of trust between two nodes: an ordered channel made of numbered messages on the inbox of each. Redis' pub/sub may lose
// messages and report nothing, so a number that is missing ends the link, and its calls settle. The two random values of its opening are in
// each message, so one that is recorded fits no other link, and its number fits this one only once.
import type { Port } from '@shardctl/rpc';

/** What is inside a sealed message. */
export type LinkMessage =
	| { readonly kind: 'hello'; readonly from: string; readonly to: string; readonly a: string }
	| { readonly kind: 'welcome'; readonly from: string; readonly to: string; readonly a: string; readonly b: string }
	/** The sender has ended this link, or does not know it (any more). */
	| { readonly kind: 'end'; readonly from: string; readonly to: string; readonly a: string; readonly b: string }
	/** `n` counts from 1 in each direction; a long message is sent in parts, of which the last has `more: false`. */
	| {
			readonly kind: 'data';
			readonly from: string;
			readonly to: string;
			readonly a: string;
			readonly b: string;
			readonly n: number;
			readonly more: boolean;
			readonly text: string;
	  };

/** Characters of JSON in one message: a larger one would keep Redis from everything else for its time. */
const partLength = 128 * 1024;
/** A sender waits for Redis above this. */
const highWaterLength = 4 * partLength;
/** Parts of one message that are held, at most. */
const mostHeldLength = 80 * 1024 * 1024;

export interface LinkOptions {
	readonly self: string;
	readonly other: string;
	readonly a: string;
	readonly b: string;
	/** Resolves with false where no node has received it. */
	publish(message: LinkMessage): Promise<boolean>;
	/** Called once. */
	onEnd(): void;
}

export class Link implements Port {
	readonly #options: LinkOptions;
	#sent = 0;
	#received = 0;
	#sending: Promise<void> = Promise.resolve();
	#waitingLength = 0;
	#parts: string[] = [];
	#heldLength = 0;
	readonly #messageListeners: ((message: unknown) => void)[] = [];
	readonly #closeListeners: (() => void)[] = [];
	#ended = false;

	constructor(options: LinkOptions) {
		this.#options = options;
	}

	get other(): string {
		return this.#options.other;
	}

	isOf({ a, b }: { a: string; b: string }): boolean {
		return a === this.#options.a && b === this.#options.b;
	}

	send(message: unknown, done: (error: Error | null) => void): boolean {
		const text = JSON.stringify(message);
		this.#waitingLength += text.length;
		const before = this.#sending;
		this.#sending = (async () => {
			await before;
			const error = await this.#sendParts(text);
			this.#waitingLength -= text.length;
			done(error);
			if (error) this.end();
		})();
		return this.#waitingLength < highWaterLength;
	}

	onMessage(listener: (message: unknown) => void): void {
		this.#messageListeners.push(listener);
	}

	onClose(listener: () => void): void {
		if (this.#ended) queueMicrotask(listener);
		else this.#closeListeners.push(listener);
	}

	/** A message of this link has arrived. One that was there already is ignored; false when one is missing, which ends the link. */
	receive({ n, more, text }: Extract<LinkMessage, { kind: 'data' }>): boolean {
		if (this.#ended || n <= this.#received) return true;
		if (n !== this.#received + 1 || this.#heldLength + text.length > mostHeldLength) {
			this.end();
			return false;
		}
		this.#received = n;
		this.#parts.push(text);
		this.#heldLength += text.length;
		if (more) return true;
		const whole = this.#parts.join('');
		this.#parts = [];
		this.#heldLength = 0;
		const message: unknown = JSON.parse(whole);
		for (const listener of this.#messageListeners) listener(message);
		return true;
	}

	/** Ends the link, and the other node's end of it as well. */
	end(): void {
		if (this.#ended) return;
		const { self: from, other: to, a, b, publish } = this.#options;
		publish({ kind: 'end', from, to, a, b }).catch(() => {});
		this.ended();
	}

	/** The other node has ended the link. */
	ended(): void {
		if (this.#ended) return;
		this.#ended = true;
		this.#parts = [];
		for (const listener of this.#closeListeners) listener();
		this.#options.onEnd();
	}

	async #sendParts(text: string): Promise<Error | null> {
		const { self: from, other: to, a, b, publish } = this.#options;
		for (let at = 0; at < text.length; at += partLength) {
			if (this.#ended) return new Error('the link has ended');
			const more = at + partLength < text.length;
			try {
				const heard = await publish({
					kind: 'data',
					from,
					to,
					a,
					b,
					n: ++this.#sent,
					more,
					text: text.slice(at, at + partLength),
				});
				if (!heard) return new Error(`node ${to} does not listen`);
			} catch (error) {
				return error instanceof Error ? error : new Error(String(error));
			}
		}
		return null;
	}
}
