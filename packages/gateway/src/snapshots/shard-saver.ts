// Saves one shard: a snapshot, behind it every event that the state takes in (the journal), and the session of its worker whenever
// that changes. A save that fails is told once and tried again; the stream does not wait for it.
import { type Clock, type GatewayShardStats, messageOf, type Timer } from '@shardctl/core';
import type { IdentifyPayload } from '@shardctl/gateway-protocol';
import type { ShardState } from '../state/shard-state.js';
import type { DeferredState } from '../stream/deferred-state.js';
import { JournalBatch, type JournalEntry, journalHead } from './event-journal.js';
import { encodeSnapshot, type ShardSnapshot } from './shard-snapshot.js';
import type { SnapshotStore } from './snapshot-store.js';

/** Discord sends again what came after the last event that was saved, as far as it remembers. */
const rhythm = { checkMs: 250, everyEvents: 512 };
/** A longer journal gives way to a new snapshot: the next process reads some 100 MB of it a second. */
const maxJournalBytes = 16 * 1024 * 1024;

/** So many guilds are encoded in one turn of the event loop, for half a millisecond, so that events are not held up. */
const guildsATurn = 4;

/** Under which names a shard is saved. */
export function savedNames(shardId: number): { shard: string; journal: string; worker: string } {
	const shard = `shard-${shardId}`;
	return { shard, journal: `${shard}.journal`, worker: `${shard}.worker.json` };
}

/** A worker's session, for the process after this one. */
export interface SavedWorker {
	sessionId: string;
	incarnation: number;
	/** Without the token. */
	identify: IdentifyPayload;
	unconfirmedAt: number | null;
	resumableFrom: number;
	/** Position through which it has said that it has everything. */
	handledThrough: number;
}

export interface ShardSaverOptions {
	shardId: number;
	store: SnapshotStore;
	clock: Clock;
	/** What to save; null while there is nothing that fits together. */
	snapshot(): ShardSnapshot | null;
	/** Position through which every event of the shard is in the state by now. */
	through(): number;
	worker(): SavedWorker | null;
	/** Stands still while it is encoded. */
	state: Pick<DeferredState, 'freeze' | 'thaw'>;
	onFailed(message: string): void;
}

/** What events are saved behind. */
interface Journal {
	state: ShardState;
	session: string;
	bytes: number;
	/** As the last batch has it. */
	through: number;
}

export class ShardSaver {
	readonly #options: ShardSaverOptions;
	readonly #names: ReturnType<typeof savedNames>;
	/** Where events go on; undefined while the next thing to save is a snapshot. */
	#journal: Journal | undefined;
	readonly #waiting = new JournalBatch();
	#savedWorker = 'null';
	#timer: Timer | undefined;
	#writing: Promise<void> = Promise.resolve();
	#busy = false;
	#failed = false;
	/** A snapshot is being encoded; this does what is left of it at once. */
	#finishEncoding: (() => void) | undefined;
	#saved: { bytes: number; atMs: number } | undefined;

	constructor(options: ShardSaverOptions) {
		this.#options = options;
		this.#names = savedNames(options.shardId);
		this.#check();
	}

	/** How much is saved, and how old the last of it is. */
	get figures(): Pick<GatewayShardStats, 'snapshotBytes' | 'snapshotAgeMs'> {
		if (!this.#saved) return { snapshotBytes: null, snapshotAgeMs: null };
		const { bytes, atMs } = this.#saved;
		return { snapshotBytes: bytes, snapshotAgeMs: Math.round(this.#options.clock.monotonic() - atMs) };
	}

	/** The state has taken in an event. */
	record(entry: JournalEntry, state: ShardState): void {
		const journal = this.#journal;
		// Another state than the snapshot's, or none that was saved: a snapshot comes first.
		if (journal?.state !== state) return;
		this.#waiting.add(entry);
		journal.bytes += entry.event.sizeBytes;
		if (this.#waiting.size >= rhythm.everyEvents && !this.#busy) this.#saveEvents(journal);
		// The disk hangs: what waits for it must not grow without end.
		if (journal.bytes > 2 * maxJournalBytes) this.#needsSnapshot();
	}

	/** Saves a worker's session if it is not what was saved last; resolves when that is done, or has failed. */
	saveWorker(worker = this.#options.worker()): Promise<void> {
		const text = JSON.stringify(worker);
		if (text !== this.#savedWorker) {
			this.#savedWorker = text;
			this.#enqueue(() => this.#options.store.write(this.#names.worker, Buffer.from(text)));
		}
		return this.#written();
	}

	/** Resolves when there is a snapshot to go on from, or it could not be saved. */
	async saveFirst(): Promise<void> {
		if (!this.#journal && !this.#finishEncoding) this.#saveShard();
		await this.#written();
	}

	/** Saves all of it; resolves when that is done, or has failed. */
	async saveNow(): Promise<void> {
		await this.#written();
		void this.saveWorker();
		this.#save();
		await this.#written();
	}

	/** Removes what was saved: the session is over. */
	async remove(): Promise<void> {
		this.stop();
		const { store } = this.#options;
		await this.#written();
		this.#needsSnapshot();
		this.#enqueue(() => store.remove(this.#names.shard));
		this.#enqueue(() => store.remove(this.#names.journal));
		this.#enqueue(() => store.remove(this.#names.worker));
		await this.#writing;
	}

	stop(): void {
		this.#options.clock.clearTimeout(this.#timer);
	}

	#check(): void {
		this.#timer = this.#options.clock.setTimeout(() => {
			// The worker first: with a shard that is newer than what is known of it, it could resume behind what it has.
			const busy = this.#busy;
			if (!this.#finishEncoding) void this.saveWorker();
			if (!busy) this.#save();
			this.#check();
		}, rhythm.checkMs);
	}

	#save(): void {
		const journal = this.#journal;
		if (!journal || !this.#goesOn(journal)) this.#saveShard();
		// Also without an event of its own: the session has gone on.
		else if (this.#waiting.size > 0 || journal.through < this.#options.through()) this.#saveEvents(journal);
	}

	#goesOn(journal: Journal): boolean {
		if (journal.bytes > maxJournalBytes) return false;
		const snapshot = this.#options.snapshot();
		return !snapshot || (snapshot.state === journal.state && JSON.stringify(snapshot.session) === journal.session);
	}

	#needsSnapshot(): void {
		this.#journal = undefined;
		this.#waiting.clear();
	}

	#saveEvents(journal: Journal): void {
		journal.through = this.#options.through();
		const batch = this.#waiting.take(journal.through);
		this.#enqueue(async () => {
			await this.#options.store.append(this.#names.journal, batch);
			this.#noteSaved((this.#saved?.bytes ?? 0) + batch.length);
		});
	}

	#saveShard(): void {
		const snapshot = this.#options.snapshot();
		if (!snapshot) return;
		const { store } = this.#options;
		const encoded = this.#encode(snapshot);
		this.#enqueue(async () => {
			const pieces = await encoded;
			await store.write(this.#names.shard, pieces);
			const head = journalHead(snapshot.cursor);
			await store.write(this.#names.journal, head);
			this.#noteSaved([...pieces, head].reduce((sum, { length }) => sum + length, 0));
		});
	}

	/** Encodes a snapshot in many turns of the event loop, in which the state stands still; the journal goes on behind it. */
	#encode(snapshot: ShardSnapshot): Promise<Uint8Array[]> {
		this.#needsSnapshot();
		const { state } = this.#options;
		const steps = encodeSnapshot(snapshot);
		return new Promise((resolve) => {
			let immediate: NodeJS.Immediate | undefined;
			const go = (guilds: number) => {
				for (let guild = 0; guild < guilds; guild++) {
					const step = steps.next();
					if (!step.done) continue;
					clearImmediate(immediate);
					this.#finishEncoding = undefined;
					this.#journal = {
						state: snapshot.state,
						session: JSON.stringify(snapshot.session),
						bytes: 0,
						through: snapshot.through,
					};
					state.thaw();
					resolve(step.value);
					return;
				}
				immediate = setImmediate(() => go(guildsATurn));
			};
			this.#finishEncoding = () => go(Number.POSITIVE_INFINITY);
			state.freeze(this.#finishEncoding);
			go(guildsATurn);
		});
	}

	/** Resolves when all that was to be saved is, or has failed; what is being encoded is finished at once. */
	#written(): Promise<void> {
		this.#finishEncoding?.();
		return this.#writing;
	}

	#noteSaved(bytes: number): void {
		this.#saved = { bytes, atMs: this.#options.clock.monotonic() };
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
					this.#needsSnapshot();
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
