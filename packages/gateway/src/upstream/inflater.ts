// The client's side of transport compression `zlib-stream`: one inflate context per connection, message by message, in order.
// Discord: Gateway, "Transport Compression".
import { messageOf } from '@shardctl/core';
import { synchronousInflate } from '@shardctl/gateway-protocol';

export class Inflater {
	readonly #inflate = synchronousInflate();
	/** Of a message that continues in the next frame. */
	#pieces: Buffer[] = [];

	/**
	 * The text of a message; `undefined` while it continues in the next frame, and for a frame that inflates to nothing: a server may
	 * flush an empty block as a frame of its own. Throws when the stream is broken, from then on at each call.
	 */
	push(data: Uint8Array): string | undefined {
		const bytes = this.#write(data);
		if (!isComplete(data)) {
			if (bytes.length > 0) this.#pieces.push(Buffer.from(bytes));
			return undefined;
		}
		if (this.#pieces.length === 0) return bytes.length === 0 ? undefined : bytes.toString();
		const text = Buffer.concat([...this.#pieces, bytes]).toString();
		this.#pieces = [];
		return text;
	}

	close(): void {
		this.#inflate.close();
	}

	#write(data: Uint8Array): Buffer {
		try {
			return this.#inflate.write(data);
		} catch (error) {
			throw new Error(`a frame cannot be decompressed: ${messageOf(error)}`);
		}
	}
}

/** A flush ends a message, with 00 00 FF FF. */
function isComplete(data: Uint8Array): boolean {
	const end = data.length;
	return end >= 4 && data[end - 1] === 0xff && data[end - 2] === 0xff && data[end - 3] === 0 && data[end - 4] === 0;
}
