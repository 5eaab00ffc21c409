// The holder's side of the identify protocol: waits for the manager's permission before each IDENTIFY, and reports what became of
// it. Workers (direct mode) and gateway processes (resident mode) use it alike.
import { aborted } from './abort.js';

/** The two messages of the protocol, whatever carries them. */
export interface IdentifyLink {
	/** Resolves when this shard or session may send IDENTIFY. */
	acquire(id: number, signal: AbortSignal | undefined): Promise<{ slotId: number }>;
	report(event: 'sent' | 'confirmed' | 'released', slotId: number): void;
}

export class IdentifyClient {
	readonly #link: IdentifyLink;
	/** The slot of the last IDENTIFY of each shard or session that has not received READY. */
	readonly #sent = new Map<number, number>();

	constructor(link: IdentifyLink) {
		this.#link = link;
	}

	/**
	 * Resolves when IDENTIFY may be sent; the caller must send it in the same turn. Rejects only with the signal's reason: libraries
	 * take any other rejection for a broken connection, and @discordjs/ws then identifies twice. When the manager is gone the
	 * promise stays pending, because this process is about to end.
	 */
	async wait(id: number, signal?: AbortSignal): Promise<void> {
		signal?.throwIfAborted();
		let slotId: number;
		try {
			({ slotId } = await this.#link.acquire(id, signal));
		} catch {
			return aborted(signal);
		}
		if (signal?.aborted) {
			this.#link.report('released', slotId);
			throw signal.reason;
		}
		this.#sent.set(id, slotId);
		// The caller sends IDENTIFY as soon as this promise resolves; the report follows it.
		setImmediate(() => this.#link.report('sent', slotId));
	}

	/** READY arrived, so Discord has counted the IDENTIFY. */
	confirm(id: number): void {
		const slotId = this.#sent.get(id);
		if (slotId === undefined) return;
		this.#sent.delete(id);
		this.#link.report('confirmed', slotId);
	}
}
