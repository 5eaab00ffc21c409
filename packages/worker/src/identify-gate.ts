// Makes each IDENTIFY of this process wait for a slot from the manager, which is the only one that knows all workers. The protocol
// is core's IdentifyClient; this class adds that a worker identifies only its own shards.
import { aborted, IdentifyClient, type IdentifyLink } from '@shardctl/core';

export class IdentifyGate {
	readonly #client: IdentifyClient;
	readonly #shardIds: ReadonlySet<number>;
	readonly #beforeFirst: () => Promise<void>;
	#begun: Promise<void> | undefined;

	/** @param beforeFirst What the first IDENTIFY of this process waits for, before it asks for a slot. */
	constructor(link: IdentifyLink, shardIds: readonly number[], beforeFirst = async () => {}) {
		this.#client = new IdentifyClient(link);
		this.#shardIds = new Set(shardIds);
		this.#beforeFirst = beforeFirst;
	}

	/**
	 * Resolves when the shard may send IDENTIFY, which it must do immediately. Rejects only with the signal's reason, see
	 * {@link IdentifyClient.wait}; for a shard of another worker it therefore stays pending.
	 */
	async wait(shardId: number, signal?: AbortSignal): Promise<void> {
		if (this.#shardIds.has(shardId)) {
			this.#begun ??= this.#beforeFirst();
			await this.#begun;
			return this.#client.wait(shardId, signal);
		}
		console.error(`shard ${shardId} may not identify: this worker has only ${[...this.#shardIds].join(', ')}`);
		return aborted(signal);
	}

	/** READY arrived, so Discord has counted the IDENTIFY. */
	confirm(shardId: number): void {
		this.#client.confirm(shardId);
	}
}
