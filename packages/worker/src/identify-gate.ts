// Makes every IDENTIFY of this process wait for a slot of the manager, which is the only one that knows all workers, and tells
// the manager what became of each slot.

/** What the gate needs of the link to the manager. */
export interface IdentifyLink {
	acquireIdentify(shardId: number, signal: AbortSignal | undefined): Promise<{ slotId: number }>;
	reportIdentify(event: 'sent' | 'confirmed' | 'released', slotId: number): void;
}

export class IdentifyGate {
	readonly #link: IdentifyLink;
	readonly #shardIds: ReadonlySet<number>;
	/** The slot of each shard's last IDENTIFY whose READY has not come. */
	readonly #sent = new Map<number, number>();

	constructor(link: IdentifyLink, shardIds: readonly number[]) {
		this.#link = link;
		this.#shardIds = new Set(shardIds);
	}

	/**
	 * Resolves when the shard may send IDENTIFY, which it must do at once. Rejects only with the signal's reason: libraries take a
	 * rejection for a broken connection, and @discordjs/ws even identifies twice then. So a shard that this worker does not own
	 * waits for ever, and so does one whose manager is gone, because this process is about to end.
	 */
	async wait(shardId: number, signal?: AbortSignal): Promise<void> {
		signal?.throwIfAborted();
		if (!this.#shardIds.has(shardId)) {
			console.error(`shard ${shardId} is not this worker's (it has ${[...this.#shardIds].join(', ')}), so it may not identify`);
			return aborted(signal);
		}
		let slotId: number;
		try {
			({ slotId } = await this.#link.acquireIdentify(shardId, signal));
		} catch {
			return aborted(signal);
		}
		if (signal?.aborted) {
			this.#link.reportIdentify('released', slotId);
			throw signal.reason;
		}
		this.#sent.set(shardId, slotId);
		// The client sends IDENTIFY as soon as this promise resolves; the report follows it out.
		setImmediate(() => this.#link.reportIdentify('sent', slotId));
	}

	/** READY came for a shard, so Discord has counted its IDENTIFY. */
	confirm(shardId: number): void {
		const slotId = this.#sent.get(shardId);
		if (slotId === undefined) return;
		this.#sent.delete(shardId);
		this.#link.reportIdentify('confirmed', slotId);
	}
}

function aborted(signal: AbortSignal | undefined): Promise<never> {
	return new Promise((_, reject) => {
		if (signal?.aborted) reject(signal.reason);
		else signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
	});
}
