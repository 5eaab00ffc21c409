// Reads the messages of a WebSocket out of what its socket receives. The receiver of `ws` makes some ten objects of each message, which costs
// as much as parsing it. This takes what Discord sends: whole messages without an extension, of less than 64 KiB. Every other frame, and every
// message while `ws` is in the middle of something, goes to that receiver.
// RFC 6455, section 5.2. `ws` has no public way for this: where a later version names its parts differently, its receiver reads everything.
import { isAscii, isUtf8 } from 'node:buffer';

/** What is used of a client of `ws`. */
interface Connection {
	/** Its owner sets it to null when it wants no message any more. */
	readonly onmessage: unknown;
	readonly _receiver?: Receiver;
}

interface Receiver {
	write(chunk: Buffer): boolean;
	/** Bytes that it was given and has not begun to read. */
	readonly writableLength: number;
	/** It has read a close frame. */
	readonly writableEnded: boolean;
	/** What is wrong with a frame that it was given. */
	readonly errored: Error | null;
	/** 0: the next byte begins a frame. */
	readonly _state: number;
	readonly _bufferedBytes: number;
	/** The opcode of a message that continues in the next frame; 0: there is none. */
	readonly _fragmented: number;
}

/** First bytes of a frame that is a whole message and uses no extension. */
const [wholeText, wholeBinary] = [0x81, 0x82];
/** Lengths in the second byte of a frame, for those that do not fit into it. A server's frame is not masked, so that it is never larger. */
const [twoByteLength, eightByteLength] = [126, 127];

/** Binary messages are a part of what the socket received, and only valid during the call. */
export type OnMessage = (message: string | Buffer) => void;

/** Takes the messages of an open connection from its next chunk of bytes on; they do not get to its `onmessage`. */
export function readFrames(connection: object, onMessage: OnMessage): void {
	const { _receiver: receiver } = connection as Connection;
	if (receiver) new FrameReader(connection as Connection, receiver, onMessage);
}

class FrameReader {
	readonly #connection: Connection;
	readonly #receiver: Receiver;
	readonly #onMessage: OnMessage;
	/** To the receiver of `ws`. */
	readonly #pass: (bytes: Buffer) => boolean;
	/** A frame whose length has not arrived. */
	#begun: Buffer | undefined;
	/** Bytes that are missing of the frame that `ws` is reading. */
	#missing = 0;

	constructor(connection: Connection, receiver: Receiver, onMessage: OnMessage) {
		this.#connection = connection;
		this.#receiver = receiver;
		this.#onMessage = onMessage;
		this.#pass = receiver.write.bind(receiver);
		receiver.write = (chunk) => this.#read(chunk);
	}

	/** Returns whether the socket may go on reading. */
	#read(chunk: Buffer): boolean {
		if (this.#isOver) return true;
		const bytes = this.#begun ? Buffer.concat([this.#begun, chunk]) : chunk;
		this.#begun = undefined;
		const areAscii = isAscii(bytes);
		let at = Math.min(this.#missing, bytes.length);
		let mayContinue = true;
		if (at > 0) {
			this.#missing -= at;
			mayContinue = this.#pass(bytes.subarray(0, at));
			if (this.#isOver) return true;
		}
		while (at < bytes.length) {
			if (!this.#isAtRest()) return this.#pass(bytes.subarray(at));
			const begin = at + headLength(bytes, at);
			if (begin > bytes.length) {
				this.#begun = bytes.subarray(at);
				return true;
			}
			const end = begin + payloadLength(bytes, at);
			const message = end <= bytes.length ? wholeMessage(bytes, { at, begin, end, areAscii }) : undefined;
			if (message !== undefined) this.#onMessage(message);
			else {
				this.#missing = Math.max(0, end - bytes.length);
				mayContinue = this.#pass(bytes.subarray(at, end));
			}
			at = Math.min(end, bytes.length);
			if (this.#isOver) return true;
		}
		return mayContinue;
	}

	/** What follows a close frame, or a frame that is not valid, is discarded: RFC 6455, sections 5.5.1 and 7.1.7. */
	get #isOver(): boolean {
		return this.#receiver.writableEnded || Boolean(this.#receiver.errored);
	}

	/** Whether the next byte begins a message, and the owner wants it. */
	#isAtRest(): boolean {
		const { writableLength, _state, _bufferedBytes, _fragmented } = this.#receiver;
		return (
			_state === 0 && _bufferedBytes === 0 && _fragmented === 0 && writableLength === 0 && this.#connection.onmessage !== null
		);
	}
}

/** Of what precedes the payload. Infinite while too little of it has arrived. */
function headLength(bytes: Buffer, at: number): number {
	if (at + 2 > bytes.length) return Number.POSITIVE_INFINITY;
	const length = bytes[at + 1];
	if (length === twoByteLength) return 4;
	return length === eightByteLength ? 10 : 2;
}

/** Of a frame whose head is there. */
function payloadLength(bytes: Buffer, at: number): number {
	const length = bytes[at + 1] as number;
	if (length === twoByteLength) return bytes.readUInt16BE(at + 2);
	return length === eightByteLength ? Number(bytes.readBigUInt64BE(at + 2)) : length;
}

/** Undefined for a frame that `ws` has to judge: another kind, with an extension, masked, very large, or text that is no UTF-8. */
function wholeMessage(
	bytes: Buffer,
	{ at, begin, end, areAscii }: { at: number; begin: number; end: number; areAscii: boolean },
): string | Buffer | undefined {
	const [kind, length] = [bytes[at], bytes[at + 1] as number];
	if (length > twoByteLength || (kind !== wholeText && kind !== wholeBinary)) return undefined;
	if (kind === wholeText && areAscii) return bytes.toString('latin1', begin, end);
	const payload = bytes.subarray(begin, end);
	if (kind === wholeBinary) return payload;
	return isUtf8(payload) ? payload.toString() : undefined;
}
