// The snapshot store as one holder sees it: every write carries the holder's fence.
import { ShardctlError, type SnapshotStore } from '@shardctl/core';

export class HeldSnapshots {
	readonly #store: SnapshotStore;
	#fence: string | undefined;

	constructor(store: SnapshotStore) {
		this.#store = store;
	}

	/** Claims the store; before that, nothing can be written. Rejects with `FENCED`. */
	async hold(fence: string): Promise<void> {
		await this.#store.claim(fence);
		this.#fence = fence;
	}

	/** Nothing is written from here on. */
	drop(): void {
		this.#fence = undefined;
	}

	/** As {@link SnapshotStore.read}. */
	read(name: string, options?: { keep?: boolean }): Promise<Uint8Array | undefined> {
		return this.#store.read(name, options);
	}

	/** As {@link SnapshotStore.write}. */
	async write(name: string, data: Uint8Array | readonly Uint8Array[], onProgress?: () => void): Promise<void> {
		await this.#store.write(name, data, this.#held, onProgress);
	}

	async append(name: string, data: Uint8Array): Promise<void> {
		await this.#store.append(name, data, this.#held);
	}

	async remove(name: string): Promise<void> {
		await this.#store.remove(name, this.#held);
	}

	get #held(): string {
		if (this.#fence !== undefined) return this.#fence;
		throw new ShardctlError('INTERNAL', 'snapshots are written only while they are claimed');
	}
}
