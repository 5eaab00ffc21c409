// Saves one shard: a snapshot, then every event that the state applies (the journal), and the session of its worker whenever it
// changes. A failed save is reported once and retried; the stream does not wait for it.
import { type Clock, type GatewayShardStats, messageOf, ShardctlError, type Timer } from '@shardctl/core';
import type { IdentifyPayload } from '@shardctl/gateway-protocol';
import type { ShardState } from '../state/shard-state.js';
import { JournalBatch, type JournalEntry, journalHead } from './event-journal.js';
import type { HeldSnapshots } from './held-snapshots.js';
import type { SavedNames } from './saved-names.js';
import { encodeSnapshot, type ShardSnapshot } from './shard-snapshot.js';

/** Events behind the last save are sent again by Discord, as far as its replay reaches. */
const rhythm = { checkMs: 250, everyEvents: 512 };
/** While saves fail, the wait between two tries doubles up to this. */
const maxRetryMs = 5000;
/**
 * A longer journal is replaced by a new snapshot: a process that has just started reads some 50 MB of journal a second. One that is shorter
 * than the snapshot is continued, so that snapshots are at most half of what is written.
 */
const journalBytes = { least: 1024 * 1024, most: 16 * 1024 * 1024 };
/** A snapshot is kept for so long, unless its journal is longer than `most`: in a flood, the snapshots of a small state took a seventh of the time. */
const leastSnapshotMs = 2000;

/** Guilds encoded in one turn of the event loop: half a millisecond, so that events are not delayed. */
const guildsATurn = 4;

/** A worker's session, for the process after this one. */
export interface SavedWorker {
	sessionId: string;
	/** Of the manager whose process it is; the next manager numbers its processes from 1 again. */
	manager?: string | undefined;
	incarnation: number;
	/** Without the token. */
	identify: IdentifyPayload;
	/** The position of READY and its guilds while they are not confirmed: a resume from there does not show how many of them arrived. */
	unconfirmedAt: number | null;
	/** The client can resume from here on: of what it is known to have, this is the last that was really sent to it. */
	resumableFrom: number;
	/** Position through which the worker has confirmed every event. */
	handledThrough: number;
}

/** A state that applies no event while it is frozen. */
export interface FreezableState {
	/** `thawNow` is called when the state is needed at its newest position; it must thaw it. */
	freeze(thawNow: () => void): void;
	thaw(): void;
}

export interface ShardSaverOptions {
	names: SavedNames;
	store: Pick<HeldSnapshots, 'write' | 'append' | 'remove'>;
	clock: Clock;
	/** What to save; null while there is no consistent state. */
	snapshot(): ShardSnapshot | null;
	/** Position through which every event of the shard is in the state. */
	completeThrough(): number;
	worker(): SavedWorker | null;
	/** Frozen while it is encoded. */
	state: FreezableState;
	/** Called once for a series of failures, which are retried; after `FENCED` nothing is saved before {@link ShardSaver.retrySoon}. */
	onFailed(error: unknown): void;
	/** Called once everything is saved again after a series of failures. */
	onRecovered(failedForMs: number): void;
	/** A store that answers nothing for so long is silent (default: no store is). */
	silentAfterMs?: number;
	/** A store that was silent has answered. */
	onAnswered?(): void;
}

/** The snapshot that the journal continues. */
interface Journal {
	state: ShardState;
	session: ShardSnapshot['session'];
	bytes: number;
	/** Of the last batch. */
	through: number;
}

/** What the store has, as an earlier process has left it. */
export interface SavedJournal extends Omit<Journal, 'bytes'> {
	bytes: { snapshot: number; journal: number };
}

/** What cannot be saved is reported where it is written, and tried again. */
const noted = (): void => {};

type Saved = 'shard' | 'worker';

export class ShardSaver {
	readonly #options: ShardSaverOptions;
	readonly #names: SavedNames;
	/** Undefined while the next thing to save is a snapshot. */
	#journal: Journal | undefined;
	readonly #waiting = new JournalBatch();
	/** Undefined when it is not known what the store has. */
	#savedWorker: SavedWorker | null | undefined = null;
	#timer: Timer | undefined;
	#soon: NodeJS.Immediate | undefined;
	#writing: Promise<void> = Promise.resolve();
	#busy = false;
	/** Set while saves fail. */
	#isSaving = false;
	#failure: GatewayShardStats['snapshotFailure'] = null;
	/** What could not be saved when it was last tried: a save of the one is no news of the other. */
	readonly #failing = new Set<Saved>();
	#retryMs = rhythm.checkMs;
	/** Monotonic. Nothing is tried again before. */
	#retryAtMs = 0;
	/** Another process has claimed what is saved; this one was replaced. What is not queued for this reason must not count as saved. */
	#fenced = false;
	/** Set while a snapshot is being encoded; encodes the rest of it at once. */
	#finishEncoding: (() => void) | undefined;
	/** Since when the store has not answered what it was asked first (monotonic); undefined while nothing is asked. */
	#unansweredSince: number | undefined;
	#saved: { bytes: number; atMs: number } | undefined;
	/** Of the last snapshot. */
	#snapshotBytes = 0;
	/** Monotonic; when it was begun. */
	#snapshotAtMs = Number.NEGATIVE_INFINITY;

	constructor(options: ShardSaverOptions) {
		this.#options = options;
		this.#names = options.names;
		this.#check();
	}

	/** How much is saved, and the age of the last save. */
	get stats(): Pick<GatewayShardStats, 'snapshotBytes' | 'snapshotAgeMs' | 'snapshotFailure'> {
		const snapshotFailure = this.#failure;
		if (!this.#saved) return { snapshotBytes: null, snapshotAgeMs: null, snapshotFailure };
		const { bytes, atMs } = this.#saved;
		return { snapshotBytes: bytes, snapshotAgeMs: Math.round(this.#options.clock.monotonic() - atMs), snapshotFailure };
	}

	/**
	 * Whether the store has answered nothing for {@link ShardSaverOptions.silentAfterMs}, so that the next process would repeat more than that.
	 * One that refuses what is saved answers.
	 */
	get isSilent(): boolean {
		const { clock, silentAfterMs } = this.#options;
		if (silentAfterMs === undefined || this.#unansweredSince === undefined) return false;
		return clock.monotonic() - this.#unansweredSince >= silentAfterMs;
	}

	/** The state has applied an event. */
	record(entry: JournalEntry, state: ShardState): void {
		const journal = this.#journal;
		// Not the state of the snapshot, or nothing was saved yet: a snapshot has to be written first.
		if (journal?.state !== state) return;
		this.#waiting.add(entry);
		journal.bytes += entry.event.sizeBytes;
		if (this.#waiting.size >= rhythm.everyEvents && !this.#busy) {
			// A snapshot reads the state, which is in the middle of applying events and would record the next one here.
			if (this.#isLong(journal)) this.#saveSoon();
			else this.#saveEvents(journal);
		}
		// The disk hangs: the events that wait for it are bounded.
		if (journal.bytes > 2 * journalBytes.most) this.#needsSnapshot();
	}

	/** Saves a worker's session if it differs from the saved one; resolves when that is done or has failed. */
	saveWorker(worker = this.#options.worker()): Promise<void> {
		if (!this.#fenced && !hasSameFields(worker, this.#savedWorker)) {
			this.#savedWorker = worker;
			const { store } = this.#options;
			this.#enqueue('worker', () => this.#ask(store.write(this.#names.worker, Buffer.from(JSON.stringify(worker)))));
		}
		return this.#written();
	}

	/**
	 * The store has a whole snapshot and journal of this state, which an earlier process has left: it is continued. To write all of it again
	 * would keep the worker waiting.
	 */
	continueJournal({ state, session, through, bytes }: SavedJournal): void {
		this.#journal = { state, session, through, bytes: bytes.journal };
		this.#snapshotBytes = bytes.snapshot;
		this.#noteSaved(bytes.snapshot + bytes.journal);
	}

	/** Resolves when there is a snapshot, or when saving it has failed. */
	async ensureSnapshot(): Promise<void> {
		const isThere = this.#journal !== undefined && this.#canContinue(this.#journal);
		if (!isThere && !this.#finishEncoding) this.#saveShard();
		await this.#written();
	}

	/** Saves everything; resolves when that is done or has failed twice: what was only not answered in time is saved again in another way. */
	async saveNow(): Promise<void> {
		await this.#written();
		await this.#saveOnce();
		if (this.#failure && !this.#fenced) await this.#saveOnce();
	}

	async #saveOnce(): Promise<void> {
		const worker = this.saveWorker();
		this.#save();
		await worker;
		await this.#written();
	}

	/** Removes what was saved: the session is over. */
	async remove(): Promise<void> {
		this.stop();
		const { store } = this.#options;
		await this.#written();
		this.#needsSnapshot();
		// What could not be saved is not needed any more.
		this.#failing.clear();
		this.#failure = null;
		this.#enqueue('shard', () => store.remove(this.#names.shard));
		this.#enqueue('shard', () => store.remove(this.#names.journal));
		this.#enqueue('worker', () => store.remove(this.#names.worker));
		await this.#writing;
	}

	stop(): void {
		this.#options.clock.clearTimeout(this.#timer);
		this.#cancelSoon();
	}

	/**
	 * What has failed is tried again soon: the cause may be over. So is what was refused because of another owner: a write that was under way
	 * while Redis was restarted, or while the owner got a later fence, may be refused after the owner was confirmed.
	 */
	retrySoon(): void {
		this.#retryAtMs = 0;
		if (!this.#fenced) return;
		this.#fenced = false;
		this.#check();
	}

	#check(): void {
		this.#timer = this.#options.clock.setTimeout(() => {
			// The worker first: with a shard that is newer than the saved session, the worker could resume behind what it has.
			if (this.#options.clock.monotonic() >= this.#retryAtMs) {
				const busy = this.#busy;
				if (!this.#finishEncoding) this.saveWorker().catch(noted);
				if (!busy) this.#save();
			}
			this.#check();
		}, rhythm.checkMs);
	}

	/** After what is being done now. */
	#saveSoon(): void {
		this.#soon ??= setImmediate(() => {
			this.#soon = undefined;
			if (!this.#busy) this.#save();
		});
	}

	#cancelSoon(): void {
		clearImmediate(this.#soon);
		this.#soon = undefined;
	}

	#save(): void {
		// Reading the state applies all events that wait for it, and each of them is recorded: those are saved with this.
		if (this.#isSaving) return;
		this.#isSaving = true;
		try {
			const journal = this.#journal;
			if (!journal || !this.#canContinue(journal)) this.#saveShard();
			// Also without an event of the shard: the session has advanced.
			else if (this.#waiting.size > 0 || journal.through < this.#options.completeThrough()) this.#saveEvents(journal);
		} finally {
			this.#isSaving = false;
		}
	}

	#canContinue(journal: Journal): boolean {
		if (this.#isLong(journal)) return false;
		const snapshot = this.#options.snapshot();
		return !snapshot || (snapshot.state === journal.state && hasSameFields(snapshot.session, journal.session));
	}

	#isLong({ bytes }: Journal): boolean {
		if (bytes > journalBytes.most) return true;
		const isOld = this.#options.clock.monotonic() - this.#snapshotAtMs >= leastSnapshotMs;
		return isOld && bytes > Math.max(journalBytes.least, this.#snapshotBytes);
	}

	#needsSnapshot(): void {
		this.#journal = undefined;
		this.#waiting.clear();
	}

	#saveEvents(journal: Journal): void {
		if (this.#fenced) return;
		journal.through = this.#options.completeThrough();
		const batch = this.#waiting.take(journal.through);
		this.#enqueue('shard', async () => {
			await this.#ask(this.#options.store.append(this.#names.journal, batch));
			this.#noteSaved((this.#saved?.bytes ?? 0) + batch.length);
		});
	}

	#saveShard(): void {
		if (this.#fenced) return;
		const snapshot = this.#options.snapshot();
		if (!snapshot) return;
		const { store, clock } = this.#options;
		this.#snapshotAtMs = clock.monotonic();
		const encoded = this.#encode(snapshot);
		this.#enqueue('shard', async () => {
			const pieces = await encoded;
			await this.#ask(store.write(this.#names.shard, pieces, () => this.#onPartAnswered()));
			const head = journalHead(snapshot.cursor);
			await this.#ask(store.write(this.#names.journal, head));
			this.#snapshotBytes = pieces.reduce((sum, { length }) => sum + length, 0);
			this.#noteSaved(this.#snapshotBytes + head.length);
		});
	}

	/** Encodes a snapshot in many turns of the event loop, during which the state is frozen; the journal continues behind it. */
	#encode(snapshot: ShardSnapshot): Promise<Uint8Array[]> {
		this.#needsSnapshot();
		this.#cancelSoon();
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
						session: snapshot.session,
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

	/** Resolves when every queued save is done or has failed; a snapshot that is being encoded is finished at once. */
	#written(): Promise<void> {
		this.#finishEncoding?.();
		return this.#writing;
	}

	/** A write that was just begun. */
	async #ask(write: Promise<void>): Promise<void> {
		this.#unansweredSince ??= this.#options.clock.monotonic();
		try {
			await write;
			this.#onAnswered();
		} catch (error) {
			if (!isUnanswered(error)) this.#onAnswered();
			throw error;
		}
	}

	/** The next part of the same write is asked at once. */
	#onPartAnswered(): void {
		this.#onAnswered();
		this.#unansweredSince = this.#options.clock.monotonic();
	}

	#onAnswered(): void {
		const wasSilent = this.isSilent;
		this.#unansweredSince = undefined;
		if (wasSilent) this.#options.onAnswered?.();
	}

	#noteSaved(bytes: number): void {
		this.#saved = { bytes, atMs: this.#options.clock.monotonic() };
	}

	#enqueue(what: Saved, work: () => Promise<void>): void {
		if (this.#fenced) return;
		this.#busy = true;
		this.#writing = this.#writing
			.then(work)
			.then(
				() => this.#onSaved(what),
				(error: unknown) => this.#onFailed(what, error),
			)
			.then(() => {
				this.#busy = false;
			});
	}

	#onSaved(what: Saved): void {
		this.#failing.delete(what);
		if (this.#failing.size > 0) return;
		const { clock, onRecovered } = this.#options;
		const failure = this.#failure;
		this.#failure = null;
		if (failure) onRecovered(Math.max(0, clock.now() - failure.since));
		this.#retryMs = rhythm.checkMs;
		this.#retryAtMs = 0;
	}

	#onFailed(what: Saved, error: unknown): void {
		const { clock, onFailed } = this.#options;
		this.#needsSnapshot();
		this.#savedWorker = undefined;
		this.#failing.add(what);
		// What was queued behind the refused write is still tried, and may fail in another way: nothing but `retrySoon` ends this.
		if (ShardctlError.is(error) && error.code === 'FENCED') this.#fenced = true;
		if (!this.#failure) onFailed(error);
		this.#failure = { since: this.#failure?.since ?? clock.now(), error: messageOf(error) };
		this.#retryAtMs = clock.monotonic() + this.#retryMs;
		this.#retryMs = Math.min(2 * this.#retryMs, maxRetryMs);
		if (this.#fenced) this.stop();
	}
}

/** The store is on another machine, and it is not known what became of the write. */
function isUnanswered(error: unknown): boolean {
	return ShardctlError.is(error) && ['CALL_TIMEOUT', 'REDIS_UNAVAILABLE'].includes(error.code);
}

/** Compares what is checked several times a second for each shard, so without encoding it. Objects inside are replaced, never changed. */
function hasSameFields(one: object | null, other: object | null | undefined): boolean {
	if (!one || !other) return one === other;
	return Object.entries(one).every(([name, value]) => value === other[name as keyof typeof other]);
}
