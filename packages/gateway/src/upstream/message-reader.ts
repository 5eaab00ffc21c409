// Reads the messages of a WebSocketShard in place of the library: synchronously and in order, and a message that cannot be read is an
// error, where the library skips it and loses an event. Events go to the owner in the turn in which they arrive, with their text, and
// bypass the library, which spends four promises on each and lets guilds overtake READY.
// The methods that this replaces are not public; `test/upstream.test.ts` runs it on real connections, to notice a version of the
// library that works differently.
import type { WebSocketShard } from '@discordjs/ws';
import { messageOf } from '@shardctl/core';
import type { Dispatch } from '../state/raw.js';
import { readFrames } from './frame-reader.js';
import { Inflater } from './inflater.js';

/** What is used of its WebSocket. */
interface Connection {
	binaryType: string;
	pause(): void;
	resume(): void;
}

/** What the library does with a message: `onMessage` has it unpacked, and handles the payload. */
interface Receiving {
	connection?: Connection | null;
	onMessage(data: unknown, isBinary: boolean): Promise<void> | null;
	unpackMessage(data: unknown, isBinary: boolean): unknown;
}

/** The fields of a frame that matter here. */
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
	/** A frame could not be read, so the frames behind it must not be read either: the owner has to reconnect. */
	onBroken(reason: string): void;
	/** Its owner failed on an event, which is left out. */
	onFailed(error: unknown, type: string): void;
}

export class MessageReader {
	readonly #options: MessageReaderOptions;
	#inflater: Inflater | undefined;
	/** The connection that is read. */
	#met: Connection | undefined;
	#broken = false;

	constructor(shard: WebSocketShard, options: MessageReaderOptions) {
		this.#options = options;
		const library = shard as unknown as Receiving;
		const handle = library.onMessage.bind(shard);
		library.unpackMessage = (payload) => payload;
		const onMessage = (data: ArrayBuffer | Buffer | string) => {
			const payload = this.#forLibrary(data);
			return payload && handle(payload, false);
		};
		library.onMessage = (data) => {
			if (library.connection) this.#meet(library.connection, (message) => void onMessage(message));
			return onMessage(data as ArrayBuffer | Buffer | string);
		};
	}

	/** Nothing more is read from the connection; what Discord sends waits in the socket, and then at Discord. */
	pause(): void {
		this.#met?.pause();
	}

	/** The connection is read again. */
	unpause(): void {
		this.#met?.resume();
	}

	/** The first message of a connection has arrived. */
	#meet(connection: Connection, onMessage: (data: Buffer | string) => void): void {
		if (connection === this.#met) return;
		this.#met = connection;
		// The library asks its socket for memory of its own for each binary message, which costs more than inflating a small one.
		connection.binaryType = 'nodebuffer';
		readFrames(connection, onMessage);
	}

	/** Called before each connection, which starts a new compression context. */
	reset(): void {
		this.close();
		this.#broken = false;
	}

	close(): void {
		this.#inflater?.close();
		this.#inflater = undefined;
	}

	/** The payload that the library must handle; null for none. */
	#forLibrary(data: ArrayBuffer | Buffer | string): Payload | null {
		const text = this.#textOf(data);
		const payload = text ? this.#parse(text) : undefined;
		if (payload?.op !== dispatch) return payload ?? null;
		const { t, s, d } = payload;
		try {
			this.#options.onDispatch({ t, d, text: text as string }, s);
		} catch (error) {
			// One event is one bug of ours: it must not end all sessions of this process. A reconnect would only receive it again.
			this.#options.onFailed(error, t);
		}
		return t === 'READY' || t === 'RESUMED' ? payload : null;
	}

	#textOf(data: ArrayBuffer | Buffer | string): string | undefined {
		if (this.#broken) return undefined;
		if (typeof data === 'string') return data;
		try {
			return this.#inflate(data instanceof ArrayBuffer ? new Uint8Array(data) : data);
		} catch (error) {
			return this.#break(messageOf(error));
		}
	}

	#parse(text: string): Payload | undefined {
		try {
			return JSON.parse(text) as Payload;
		} catch (error) {
			return this.#break(`a frame is not valid JSON: ${messageOf(error)}`);
		}
	}

	#break(reason: string): undefined {
		this.#broken = true;
		this.#options.onBroken(reason);
	}

	#inflate(data: Uint8Array): string | undefined {
		this.#inflater ??= new Inflater();
		return this.#inflater.push(data);
	}
}
