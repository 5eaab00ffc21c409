// Makes each IDENTIFY of this process wait for a slot from the manager, which is the only one that knows all workers. The protocol
// is core's IdentifyClient; this class adds that a worker identifies only its own shards.
import { aborted, IdentifyClient, type IdentifyLink } from '@shardctl/core';

export class IdentifyGate {
	readonly #client: IdentifyClient;
	readonly #shardIds: ReadonlySet<number>;

	constructor(link: IdentifyLink, shardIds: readonly number[]) {
		this.#client = new IdentifyClient(link);
		this.#shardIds = new Set(shardIds);
	}

	/**
	 * Resolves when the shard may send IDENTIFY, which it must do immediately. Rejects only with the signal's reason, see
	 * {@link IdentifyClient.wait}; for a shard of another worker it therefore stays pending.
	 */
	wait(shardId: number, signal?: AbortSignal): Promise<void> {
		if (this.#shardIds.has(shardId)) return this.#client.wait(shardId, signal);
		console.error(`shard ${shardId} may not identify: this worker has only ${[...this.#shardIds].join(', ')}`);
		return aborted(signal);
	}

	/** READY arrived, so Discord has counted the IDENTIFY. */
	confirm(shardId: number): void {
		this.#client.confirm(shardId);
	}
}
