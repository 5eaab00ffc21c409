// A session of a node of a cluster, with the processes that carry it: in resident mode a gateway process and workers, in queue mode the
// gateway process alone, in direct mode the workers alone.
import type { SessionLease } from '@shardctl/core';
import type { ManagedWorker } from '../workers/managed-worker.js';

export interface Carried {
	/** Every shard is ready in its worker, or where workers have no shards: Discord serves the session. */
	readonly isReady: boolean;
	readonly workers: readonly ManagedWorker[];
	/** Resolves when it was ready for the first time, as far as it is to start at all, and not before; it may never be. */
	whenReady(): Promise<void>;
	/** Resolves when everything is there but the connection to Discord; rejects with the signal's reason. */
	whenPrepared(signal: AbortSignal): Promise<void>;
	/** The lease was renewed, or has ended. */
	lease(lease: SessionLease): void;
	/** Stops events, lets the workers confirm what they have, saves everything, and closes the connection to Discord. */
	pause(): Promise<void>;
	/** Undoes {@link pause}. */
	resume(): void;
	/** Ends the processes; Discord and the store keep the session for another node where they can. Idempotent. */
	close(): Promise<void>;
}
