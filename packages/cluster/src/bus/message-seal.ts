// What makes a message of a node believable: an HMAC with a key that is derived from the bot's token, or from a secret of the cluster's
// own. A person who has only Redis can neither forge a message nor use one of another application.
import { hash, hkdfSync, timingSafeEqual } from 'node:crypto';

/** Of SHA-256. */
const macBytes = 32;
const blockBytes = 64;

/** Names the key of a secret, without giving it away: two nodes with different ones understand no message of each other. */
export function keyId({ secret, applicationId }: { secret: string; applicationId: string }): string {
	return Buffer.from(hkdfSync('sha256', secret, applicationId, 'shardctl cluster key id 1', 8)).toString('hex');
}

export class MessageSeal {
	/** The two keys of HMAC, each as long as a block of SHA-256. */
	readonly #inner: Buffer;
	readonly #outer: Buffer;

	/** @param secret the cluster's secret, else the bot token; never sent and never logged */
	constructor({ secret, applicationId }: { secret: string; applicationId: string }) {
		const key = Buffer.from(hkdfSync('sha256', secret, applicationId, 'shardctl cluster messages 1', 32));
		this.#inner = padded(key, 0x36);
		this.#outer = Buffer.concat([padded(key, 0x5c), Buffer.alloc(macBytes)]);
	}

	seal(text: string): Buffer {
		const whole = Buffer.allocUnsafe(blockBytes + Buffer.byteLength(text));
		whole.write(text, blockBytes);
		const mac = this.#mac(whole);
		// The key makes room for the result, and leaves nothing of itself.
		mac.copy(whole, blockBytes - macBytes);
		return whole.subarray(blockBytes - macBytes);
	}

	/** The text; undefined for what was not sealed with this key. */
	open(message: Buffer): string | undefined {
		if (message.length <= macBytes) return undefined;
		const whole = Buffer.allocUnsafe(blockBytes + message.length - macBytes);
		message.copy(whole, blockBytes, macBytes);
		if (!timingSafeEqual(message.subarray(0, macBytes), this.#mac(whole))) return undefined;
		return message.toString('utf8', macBytes);
	}

	/** RFC 2104, in two calls of a hash: `createHmac` costs several times as much for a short message. The body begins behind one block. */
	#mac(whole: Buffer): Buffer {
		this.#inner.copy(whole);
		hash('sha256', whole, 'buffer').copy(this.#outer, blockBytes);
		whole.fill(0, 0, blockBytes);
		return hash('sha256', this.#outer, 'buffer');
	}
}

function padded(key: Buffer, byte: number): Buffer {
	const block = Buffer.alloc(blockBytes, byte);
	for (const [index, value] of key.entries()) block[index] = value ^ byte;
	return block;
}
