// Saves one shard's snapshot now and then, and the session of its worker whenever that changes. A save that fails is told once
// and tried again; the stream does not wait for it.
import { type Clock, messageOf, type Timer } from '@shardctl/core';
import type { IdentifyPayload } from '@shardctl/gateway-protocol';
import { encodeSnapshot, type ShardSnapshot } from './shard-snapshot.js';
import type { SnapshotStore } from './snapshot-store.js';

/** Discord sends again what came after the snapshot, as far as it remembers: a snapshot must not be old, nor many events back. */
const rhythm = { checkMs: 250, everyMs: 15_000, everyEvents: 1000 };

/** A worker's session, for the process after this one. */
export interface SavedWorker {
	sessionId: string;
	incarnation: number;
	/** Without the token. */
	identify: IdentifyPayload;
	unconfirmedAt: number | null;
	/** Position through which it has said that it has everything. */
	handledThrough: number;
}

export interface ShardSaverOptions {
	shardId: number;
	store: SnapshotStore;
	clock: Clock;
	/** What to save; null while there is nothing that fits together. */
	snapshot(): ShardSnapshot | null;
	worker(): SavedWorker | null;
	onFailed(message: string): void;
}

export class ShardSaver {
	readonly #options: ShardSaverOptions;
	readonly #names: { shard: string; worker: string };
	#saved: { at: number; cursor: number } | undefined;
	#savedWorker = 'null';
	#timer: Timer | undefined;
	#writing: Promise<void> = Promise.resolve();
	#busy = false;
	#failed = false;

	constructor(options: ShardSaverOptions) {
		this.#options = options;
		this.#names = { shard: `shard-${options.shardId}`, worker: `shard-${options.shardId}.worker.json` };
		this.#check();
	}

	/** Saves a worker's session if it is not what was saved last; resolves when that is done, or has failed. */
	saveWorker(worker = this.#options.worker()): Promise<void> {
		const text = JSON.stringify(worker);
		if (text !== this.#savedWorker) {
			this.#savedWorker = text;
			this.#enqueue(() => this.#options.store.write(this.#names.worker, Buffer.from(text)));
		}
		return this.#writing;
	}

	/** Resolves when there is a snapshot to go on from, or it could not be saved. */
	async saveFirst(): Promise<void> {
		if (!this.#saved) this.#saveShard();
		await this.#writing;
	}

	/** Saves all of it; resolves when that is done, or has failed. */
	async saveNow(): Promise<void> {
		await this.#writing;
		this.#saveShard();
		await this.saveWorker();
	}

	/** Removes what was saved: the session is over. */
	async remove(): Promise<void> {
		this.stop();
		const { store } = this.#options;
		this.#enqueue(() => store.remove(this.#names.shard));
		this.#enqueue(() => store.remove(this.#names.worker));
		await this.#writing;
	}

	stop(): void {
		this.#options.clock.clearTimeout(this.#timer);
	}

	#check(): void {
		this.#timer = this.#options.clock.setTimeout(() => {
			if (!this.#busy && this.#isDue()) this.#saveShard();
			void this.saveWorker();
			this.#check();
		}, rhythm.checkMs);
	}

	#isDue(): boolean {
		const snapshot = this.#options.snapshot();
		if (!snapshot || snapshot.cursor === this.#saved?.cursor) return false;
		if (!this.#saved) return true;
		const { at, cursor } = this.#saved;
		return this.#options.clock.monotonic() - at >= rhythm.everyMs || snapshot.cursor - cursor >= rhythm.everyEvents;
	}

	#saveShard(): void {
		const snapshot = this.#options.snapshot();
		if (!snapshot) return;
		const data = encodeSnapshot(snapshot);
		this.#saved = { at: this.#options.clock.monotonic(), cursor: snapshot.cursor };
		this.#enqueue(() => this.#options.store.write(this.#names.shard, data));
	}

	#enqueue(work: () => Promise<void>): void {
		this.#busy = true;
		this.#writing = this.#writing
			.then(work)
			.then(
				() => {
					this.#failed = false;
				},
				(error: unknown) => {
					this.#saved = undefined;
					this.#savedWorker = 'failed';
					if (!this.#failed) this.#options.onFailed(messageOf(error));
					this.#failed = true;
				},
			)
			.then(() => {
				this.#busy = false;
			});
	}
}
