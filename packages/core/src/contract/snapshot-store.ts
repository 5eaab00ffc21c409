// Where a gateway process leaves what the next one needs. An interface, so that a store that several machines share can replace the
// files of one. Every implementation passes the suite in test/contracts.
//
// Two processes may think that they hold the same state: one that was replaced may still be writing. So every write carries a fence, the
// decimal number of its holder, which rises with each holder; the store refuses a write with an older fence than it has seen.

export interface SnapshotStore {
	/**
	 * Makes this holder the newest: writes with an older fence are refused from here on. Rejects with `FENCED` when a newer holder has
	 * claimed the store already.
	 */
	claim(fence: string): Promise<void>;
	/**
	 * Undefined where there is none. Any process may read.
	 *
	 * @param options `keep`: the same is read again soon, so what does not change until then need not be transferred twice
	 */
	read(name: string, options?: { keep?: boolean }): Promise<Uint8Array | undefined>;
	/**
	 * Atomic, also where the data is in pieces: a reader sees the old content or the new. A newer fence than the store has seen counts as
	 * a claim. Rejects with `FENCED` for an older one, and with the cause where the write has failed.
	 *
	 * @param onProgress called for each part that the store has taken, where it is on another machine and takes the data in parts
	 */
	write(name: string, data: Uint8Array | readonly Uint8Array[], fence: string, onProgress?: () => void): Promise<void>;
	/** Adds to the end. A reader may see a part of the data. Rejects as `write` does. */
	append(name: string, data: Uint8Array, fence: string): Promise<void>;
	/** Resolves also where there is nothing of that name. Rejects as `write` does. */
	remove(name: string, fence: string): Promise<void>;
}
