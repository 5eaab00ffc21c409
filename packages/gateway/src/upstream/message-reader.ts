// Reads the messages of a WebSocketShard in place of the library: compressed ones in one go and in order, and what cannot be read
// is an error, where the library skips it and with it an event. Its method is not public; `test/upstream.test.ts` runs it on
// real connections, so that a version of the library which does it otherwise is noticed.
import type { WebSocketShard } from '@discordjs/ws';
import { Inflater } from './inflater.js';

interface Unpacking {
	unpackMessage(data: ArrayBuffer | string, isBinary: boolean): unknown;
}

export class MessageReader {
	readonly #onBroken: (reason: string) => void;
	#inflater: Inflater | undefined;
	#broken = false;

	/** @param onBroken A message could not be read, so what comes after it must not be either: connect anew. */
	constructor(shard: WebSocketShard, onBroken: (reason: string) => void) {
		this.#onBroken = onBroken;
		(shard as unknown as Unpacking).unpackMessage = (data) => this.#read(data);
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

	/** The payload; null for nothing to act on. */
	#read(data: ArrayBuffer | string): unknown {
		if (this.#broken) return null;
		try {
			const text = typeof data === 'string' ? data : this.#inflate(new Uint8Array(data));
			return text === undefined ? null : JSON.parse(text);
		} catch (error) {
			this.#broken = true;
			this.#onBroken(`a message of Discord's could not be read: ${(error as Error).message}`);
			return null;
		}
	}

	#inflate(data: Uint8Array): string | undefined {
		this.#inflater ??= new Inflater();
		return this.#inflater.push(data);
	}
}
