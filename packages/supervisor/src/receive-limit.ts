// Limits what one message of a child may take of this process's memory. Node reads a whole message before anyone can look at it, and a
// short text can become large: `[],` is three bytes of JSON and forty bytes of heap. So the bytes are counted while they arrive.

import { maxSentHeapBytes, messageWeight } from '@shardctl/core';

export interface ReceiveLimit {
	/** Length of one message as text. */
	maxBytes: number;
	/** What its values take once they are read, as an estimate: so much for each list or object, and for each value and key in one. */
	maxHeapBytes: number;
}

/** More than the sender's side of the RPC layer lets through, because that is an estimate too. */
export const defaultReceiveLimit: ReceiveLimit = { maxBytes: 128 * 2 ** 20, maxHeapBytes: 1.5 * maxSentHeapBytes };

const newline = 10;
const quote = 34;
const comma = 44;
const colon = 58;
const backslash = 92;
const [openList, openObject] = [91, 123];

/** Follows a stream of JSON texts, one a line. */
export class MessageMeter {
	readonly #limit: ReceiveLimit;
	/** Of the message that has begun and has not ended. */
	#bytes = 0;
	#heapBytes = 0;
	#inString = false;
	#escaped = false;

	constructor(limit: ReceiveLimit) {
		this.#limit = limit;
	}

	/** Whether the message that is arriving is within the limit. One that ends in the same chunk is at most a chunk larger than was checked. */
	accepts(chunk: Uint8Array): boolean {
		const end = chunk.lastIndexOf(newline);
		if (end >= 0) {
			this.#bytes = 0;
			this.#heapBytes = 0;
			this.#inString = false;
			this.#escaped = false;
			if (end === chunk.length - 1) return true;
		}
		this.#bytes += chunk.length - end - 1;
		this.#weigh(chunk, end + 1);
		return this.#bytes <= this.#limit.maxBytes && this.#heapBytes <= this.#limit.maxHeapBytes;
	}

	#weigh(chunk: Uint8Array, from: number): void {
		let inString = this.#inString;
		let escaped = this.#escaped;
		let containers = 0;
		let values = 0;
		let keys = 0;
		for (let index = from; index < chunk.length; index++) {
			const byte = chunk[index];
			if (inString) {
				if (escaped) escaped = false;
				else if (byte === backslash) escaped = true;
				else if (byte === quote) inString = false;
			} else if (byte === quote) inString = true;
			else if (byte === comma) values++;
			else if (byte === colon) keys++;
			else if (byte === openList || byte === openObject) containers++;
		}
		this.#inString = inString;
		this.#escaped = escaped;
		this.#heapBytes += containers * messageWeight.container + values * messageWeight.value + keys * messageWeight.key;
	}
}

/** What is used of the handle below Node's channel. */
interface ChannelHandle {
	onread?: (data?: ArrayBuffer) => void;
}

/**
 * Watches the IPC channel of a forked child (`serialization: 'json'`). At the limit `onExceeded` is called once, and what arrives from then
 * on is thrown away; the end of the channel is noticed as always.
 *
 * Node has no public way to limit what a channel reads. Its handle is the value of a symbol, the same in Node 20 to 26; where a later
 * version keeps it elsewhere, nothing is limited. Returns whether it is.
 */
export function limitReceiving(child: object, limit: ReceiveLimit, onExceeded: () => void): boolean {
	const symbol = Object.getOwnPropertySymbols(child).find(({ description }) => description === 'kChannelHandle');
	const handle = symbol && (child as Record<symbol, ChannelHandle | null | undefined>)[symbol];
	const read = handle?.onread;
	if (!handle || typeof read !== 'function') return false;
	const meter = new MessageMeter(limit);
	let exceeded = false;
	handle.onread = function onread(this: unknown, ...args: [ArrayBuffer?]) {
		const [data] = args;
		if (data instanceof ArrayBuffer) {
			if (exceeded) return;
			if (!meter.accepts(new Uint8Array(data))) {
				exceeded = true;
				onExceeded();
				return;
			}
		}
		Reflect.apply(read, this, args);
	};
	return true;
}
