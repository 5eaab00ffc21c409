// What makes a message of a node believable: an HMAC with a key that is derived from the bot's token, or from a secret of the cluster's
// own. A person who has only Redis can neither forge a message nor use one of another application.
import { createHmac, createSecretKey, hkdfSync, type KeyObject, timingSafeEqual } from 'node:crypto';

const macBytes = 32;

/** Names the key of a secret, without giving it away: two nodes with different ones understand no message of each other. */
export function keyId({ secret, applicationId }: { secret: string; applicationId: string }): string {
	return Buffer.from(hkdfSync('sha256', secret, applicationId, 'shardctl cluster key id 1', 8)).toString('hex');
}

export class MessageSeal {
	/** A key object, so that node prepares the key once and not for each message. */
	readonly #key: KeyObject;

	/** @param secret the cluster's secret, else the bot token; never sent and never logged */
	constructor({ secret, applicationId }: { secret: string; applicationId: string }) {
		this.#key = createSecretKey(Buffer.from(hkdfSync('sha256', secret, applicationId, 'shardctl cluster messages 1', 32)));
	}

	seal(text: string): Buffer {
		const message = Buffer.allocUnsafe(macBytes + Buffer.byteLength(text));
		message.write(text, macBytes);
		this.#mac(message.subarray(macBytes)).copy(message);
		return message;
	}

	/** The text; undefined for what was not sealed with this key. */
	open(message: Buffer): string | undefined {
		const body = message.subarray(macBytes);
		if (message.length <= macBytes || !timingSafeEqual(message.subarray(0, macBytes), this.#mac(body))) return undefined;
		return body.toString();
	}

	#mac(body: Buffer): Buffer {
		return createHmac('sha256', this.#key).update(body).digest();
	}
}
