// Reads the messages of a WebSocketShard in place of the library: compressed ones in one go and in order, and what cannot be read
// is an error, where the library skips it and with it an event. Events go to the owner in the turn in which they came, with their
// text, and past the library, which takes three promises over each and lets READY be overtaken by its guilds.
// Its method is not public; `test/upstream.test.ts` runs it on real connections, so that a version of the library which does it
// otherwise is noticed.
import type { WebSocketShard } from '@discordjs/ws';
import { messageOf } from '@shardctl/core';
import type { Dispatch } from '../state/raw.js';
import { Inflater } from './inflater.js';

interface Unpacking {
	unpackMessage(data: ArrayBuffer | string, isBinary: boolean): unknown;
}

/** A message of Discord's, as far as it matters here. */
interface Payload {
	op: number;
	t: string;
	s: number;
	d: unknown;
}

/** The opcode of an event. */
const dispatch = 0;

export interface MessageReaderOptions {
	onDispatch(dispatch: Dispatch, seq: number): void;
	/** A message could not be read, so what comes after it must not be either: connect anew. */
	onBroken(reason: string): void;
}

export class MessageReader {
	readonly #options: MessageReaderOptions;
	#inflater: Inflater | undefined;
	#broken = false;

	constructor(shard: WebSocketShard, options: MessageReaderOptions) {
		this.#options = options;
		(shard as unknown as Unpacking).unpackMessage = (data) => this.#forLibrary(data);
	}

	/** Before each connection: its compression begins anew. */
	reset(): void {
		this.close();
		this.#broken = false;
	}

	close(): void {
		this.#inflater?.close();
		this.#inflater = undefined;
	}

	/** What the library has to act on; null for nothing. */
	#forLibrary(data: ArrayBuffer | string): Payload | null {
		const text = this.#textOf(data);
		const payload = text === undefined ? undefined : this.#parse(text);
		if (payload?.op !== dispatch) return payload ?? null;
		const { t, s, d } = payload;
		this.#options.onDispatch({ t, d, text: text as string }, s);
		return t === 'READY' || t === 'RESUMED' ? payload : null;
	}

	#textOf(data: ArrayBuffer | string): string | undefined {
		if (this.#broken) return undefined;
		if (typeof data === 'string') return data;
		try {
			return this.#inflate(new Uint8Array(data));
		} catch (error) {
			return this.#break(error);
		}
	}

	#parse(text: string): Payload | undefined {
		try {
			return JSON.parse(text) as Payload;
		} catch (error) {
			return this.#break(error);
		}
	}

	#break(error: unknown): undefined {
		this.#broken = true;
		this.#options.onBroken(`a message of Discord's could not be read: ${messageOf(error)}`);
	}

	#inflate(data: Uint8Array): string | undefined {
		this.#inflater ??= new Inflater();
		return this.#inflater.push(data);
	}
}
