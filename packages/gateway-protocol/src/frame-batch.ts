// The WebSocket messages of one tick as one piece of bytes: a single buffer and a single write. `ws` makes two buffers, two writes
// and a few objects of each message, which costs several times what the message itself does.
// RFC 6455, section 5.2: a server's messages are not masked; each is whole, and no extension is agreed.

const finalText = 0x81;
const finalBinary = 0x82;

export class FrameBatch {
	#messages: (string | Buffer)[] = [];

	get isEmpty(): boolean {
		return this.#messages.length === 0;
	}

	/** Text as a string, binary as a buffer. */
	push(message: string | Buffer): void {
		this.#messages.push(message);
	}

	/** Everything that was pushed, and forgets it. */
	take(): Buffer {
		const messages = this.#messages;
		this.#messages = [];
		const lengths = messages.map((message) => Buffer.byteLength(message));
		const bytes = Buffer.allocUnsafe(lengths.reduce((sum, length) => sum + headLength(length) + length, 0));
		let at = 0;
		for (let index = 0; index < messages.length; index++) {
			const message = messages[index] as string | Buffer;
			const length = lengths[index] as number;
			at = writeHead(bytes, at, typeof message === 'string' ? finalText : finalBinary, length);
			if (typeof message === 'string') bytes.write(message, at);
			else message.copy(bytes, at);
			at += length;
		}
		return bytes;
	}

	clear(): void {
		this.#messages = [];
	}
}

function headLength(length: number): number {
	if (length < 126) return 2;
	return length < 65_536 ? 4 : 10;
}

/** Returns where the message begins. */
function writeHead(bytes: Buffer, at: number, kind: number, length: number): number {
	bytes[at] = kind;
	if (length < 126) {
		bytes[at + 1] = length;
	} else if (length < 65_536) {
		bytes[at + 1] = 126;
		bytes.writeUInt16BE(length, at + 2);
	} else {
		bytes[at + 1] = 127;
		bytes.writeUInt32BE(0, at + 2);
		bytes.writeUInt32BE(length, at + 6);
	}
	return at + headLength(length);
}
