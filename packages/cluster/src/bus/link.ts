// One direction of trust between two nodes: an ordered channel made of numbered messages on the inbox of each. Redis' pub/sub may lose
// messages and report nothing, so a number that is missing ends the link, and its calls settle. The two random values of its opening are in
// each message, so one that is recorded fits no other link, and its number fits this one only once.
import type { Port } from '@shardctl/rpc';
import type { DataMessage, LinkMessage } from './link-wire.js';

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
	/** Resolves with false where no node has received it. Messages arrive in the order of the calls. */
	publish(message: LinkMessage): Promise<boolean>;
	/** Called once. */
	onEnd(): void;
}

export class Link implements Port {
	readonly #options: LinkOptions;
	#sent = 0;
	#received = 0;
	/** Messages of which parts are still to be published, in order. */
	readonly #queue: Outgoing[] = [];
	/** Of messages that are not confirmed. */
	#waitingLength = 0;
	/** Of parts that Redis has not confirmed. */
	#inFlightLength = 0;
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
		if (this.#ended) {
			queueMicrotask(() => done(new Error('the link has ended')));
			return false;
		}
		this.#waitingLength += text.length;
		this.#queue.push({ text, at: 0, unconfirmed: 0, done });
		this.#pump();
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
	receive({ n, more, text }: DataMessage): boolean {
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
		const unsent = this.#queue.splice(0);
		queueMicrotask(() => {
			for (const outgoing of unsent) if (outgoing.unconfirmed === 0) settle(outgoing, new Error('the link has ended'));
		});
		for (const listener of this.#closeListeners) listener();
		this.#options.onEnd();
	}

	/** Publishes what may be on its way at once, without a wait for Redis between one message and the next. */
	#pump(): void {
		const { self: from, other: to, a, b, publish } = this.#options;
		for (let next = this.#queue[0]; next && !this.#ended && this.#inFlightLength < highWaterLength; next = this.#queue[0]) {
			const outgoing = next;
			const text =
				outgoing.text.length <= partLength ? outgoing.text : outgoing.text.slice(outgoing.at, outgoing.at + partLength);
			outgoing.at += text.length;
			const more = outgoing.at < outgoing.text.length;
			if (!more) this.#queue.shift();
			outgoing.unconfirmed++;
			this.#inFlightLength += text.length;
			publish({ kind: 'data', from, to, a, b, n: ++this.#sent, more, text }).then(
				(heard) => this.#confirmed(outgoing, text.length, more, heard ? null : new Error(`node ${to} does not listen`)),
				(error: unknown) =>
					this.#confirmed(outgoing, text.length, more, error instanceof Error ? error : new Error(String(error))),
			);
		}
	}

	#confirmed(outgoing: Outgoing, length: number, more: boolean, error: Error | null): void {
		outgoing.unconfirmed--;
		this.#inFlightLength -= length;
		if (error) {
			outgoing.error ??= error;
			this.end();
		}
		// Redis confirms in order, so the last part is confirmed last, unless the link ended before it was sent.
		if (outgoing.unconfirmed === 0 && (!more || this.#ended)) {
			this.#waitingLength -= outgoing.text.length;
			settle(outgoing, outgoing.error ?? (more ? new Error('the link has ended') : null));
		}
		this.#pump();
	}
}

/** A message on its way. */
interface Outgoing {
	readonly text: string;
	/** Up to here it was published. */
	at: number;
	/** Parts that Redis has not confirmed. */
	unconfirmed: number;
	error?: Error;
	/** Called once. */
	done: ((error: Error | null) => void) | undefined;
}

function settle(outgoing: Outgoing, error: Error | null): void {
	const { done } = outgoing;
	outgoing.done = undefined;
	done?.(error);
}
