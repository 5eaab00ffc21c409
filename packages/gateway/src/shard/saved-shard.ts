// What is saved of a shard, and how the next gateway process reads it: a snapshot moved forward by its journal, the session of its
// worker, and events that crash workers. When each part is written is decided in `snapshots/shard-saver`.
import {
	age,
	type Clock,
	type GatewayNotice,
	type GatewayShardStats,
	type Layout,
	messageOf,
	ShardctlError,
} from '@shardctl/core';
import type { SessionStore } from '@shardctl/gateway-protocol';
import type { LogEntry } from '../buffer/event-log.js';
import type { WorkerSession } from '../downstream/worker-session.js';
import { isJournalOf, journalHead, readJournal } from '../snapshots/event-journal.js';
import type { HeldSnapshots } from '../snapshots/held-snapshots.js';
import { type SavedNames, savedNames } from '../snapshots/saved-names.js';
import { type SavedJournal, type SavedWorker, ShardSaver } from '../snapshots/shard-saver.js';
import { decodeSnapshot, type ShardSnapshot } from '../snapshots/shard-snapshot.js';
import type { ShardState } from '../state/shard-state.js';
import { VoicePlaces } from '../state/voice-places.js';
import type { ShardStream } from '../stream/shard-stream.js';
import type { SessionLink } from './session-link.js';

/** A shard as an earlier process left it. */
export interface SavedState {
	/** Its state is at {@link cursor}, not where the snapshot was taken. */
	snapshot: ShardSnapshot;
	cursor: number;
	/** Position through which every event of the shard is in the state. */
	through: number;
	/** Of what was read; undefined where the journal ends with a batch that is not whole. */
	bytes: SavedJournal['bytes'] | undefined;
}

export interface SavedShardOptions {
	shardId: number;
	layout: Layout;
	session: Pick<SessionLink, 'botId' | 'newest' | 'checkpoint'>;
	stream: Pick<ShardStream, 'state' | 'cursor' | 'isSettled' | 'oldestOffset' | 'deferredState' | 'workers' | 'continue'>;
	voice: VoicePlaces;
	/** See `botKey`. */
	bot: string;
	/** Distinguishes the manager of this process from every other one (default: all are one). */
	manager?: string;
	store: HeldSnapshots;
	clock: Clock;
	/** See {@link SavedShard.isSilent}. */
	silentAfterMs?: number;
	notice(kind: GatewayNotice['kind'], message: string): void;
}

export class SavedShard {
	readonly #options: SavedShardOptions;
	readonly #names: SavedNames;
	readonly #saver: ShardSaver;
	#peeked: Replay | undefined;
	/** A look at what another process has saved is of no use any more. */
	#isRead = false;

	constructor(options: SavedShardOptions) {
		const { shardId, layout, bot, store, clock, stream, silentAfterMs, notice } = options;
		this.#options = options;
		this.#names = savedNames({ bot, generation: layout.generation }, shardId);
		this.#saver = new ShardSaver({
			names: this.#names,
			store,
			clock,
			snapshot: () => this.#snapshot(),
			completeThrough: () => this.#completeThrough,
			state: stream.deferredState,
			worker: () => this.#named(stream.workers.checkpoint),
			onFailed: (error) => {
				const fenced = ShardctlError.is(error) && error.code === 'FENCED';
				notice('snapshot:failed', `${fenced ? 'stopped saving' : 'cannot save the snapshot, retrying'}: ${messageOf(error)}`);
			},
			onRecovered: (failedForMs) => notice('snapshot:saved', `the snapshot is saved again, after ${age(failedForMs)}`),
			...(silentAfterMs !== undefined && { silentAfterMs }),
			onAnswered: () => stream.continue(),
		});
	}

	/** See {@link ShardSaver.isSilent}. */
	get isSilent(): boolean {
		return this.#saver.isSilent;
	}

	get stats(): Pick<GatewayShardStats, 'snapshotBytes' | 'snapshotAgeMs' | 'snapshotFailure'> {
		return this.#saver.stats;
	}

	/**
	 * What an earlier process left, with the bot's voice channels put into `voice`. Undefined where nothing was saved for this shard count.
	 * Throws `SNAPSHOT_INVALID` for what cannot be read.
	 */
	async read(): Promise<SavedState | undefined> {
		const { store, voice } = this.#options;
		this.#isRead = true;
		// Nothing is written meanwhile: this process has claimed them.
		const [data, journal] = await Promise.all([store.read(this.#names.shard), store.read(this.#names.journal)]);
		const before = this.#peeked;
		this.#peeked = undefined;
		const found = this.#replay(data, journal, before);
		if (!found) return undefined;
		voice.restore(found.voice.places);
		const { snapshot, cursor, through, end } = found;
		// A file that a crash of the machine left empty has no head: what is appended to it would belong to no snapshot.
		const isWhole = journal !== undefined && end > 0 && end === journal.length;
		return { snapshot, cursor, through, bytes: isWhole ? { snapshot: found.data.length, journal: end } : undefined };
	}

	/**
	 * What another process has saved so far, and may still add to: {@link read} then has only the rest to do. Undefined, or throws, as
	 * {@link read} does. Of use only as long as nothing was read.
	 */
	async peek(): Promise<ShardSnapshot | undefined> {
		const { store } = this.#options;
		const [data, journal] = await Promise.all([
			store.read(this.#names.shard, { keep: true }),
			store.read(this.#names.journal, { keep: true }),
		]);
		if (this.#isRead) return undefined;
		this.#peeked = this.#replay(data, journal);
		return this.#peeked?.snapshot;
	}

	#replay(data: Uint8Array | undefined, journal: Uint8Array = new Uint8Array(), before?: Replay): Replay | undefined {
		if (!data) return undefined;
		const begun = before && continuesReplay(before, data, journal) ? before : beginReplay(data);
		const { shardId, layout } = begun.snapshot;
		if (shardId !== this.#options.shardId || layout.totalShards !== this.#options.layout.totalShards) return undefined;
		return replay(begun, journal);
	}

	/** The stream has the state that was read. What is saved of it is continued, where that is possible. */
	continueSaved({ snapshot, through, bytes }: SavedState): void {
		if (bytes) this.#saver.continueJournal({ state: snapshot.state, session: snapshot.session, through, bytes });
	}

	/** Brings back the session of a worker that is still running, so that it can resume. `booting`: the process whose shards are not all ready. */
	async restoreWorker(sessions: Pick<SessionStore, 'restore'>, { booting }: { booting: number | null }): Promise<void> {
		const { store, stream } = this.#options;
		const data = await store.read(this.#names.worker);
		const saved = data && (JSON.parse(Buffer.from(data).toString()) as SavedWorker | null);
		if (!saved || saved.manager !== this.#options.manager) return;
		const session = sessions.restore(saved.sessionId, saved.identify) as WorkerSession;
		stream.workers.restore(session, saved, { hold: saved.incarnation === booting });
	}

	/** The state has taken in an event. */
	record(entry: LogEntry, state: ShardState): void {
		this.#saver.record(entry, state);
	}

	ensureSnapshot(): Promise<void> {
		return this.#saver.ensureSnapshot();
	}

	saveWorker(): Promise<void> {
		return this.#saver.saveWorker();
	}

	/** Saves the session of a worker's process that is about to take over. */
	async saveSuccessor(): Promise<void> {
		const successor = this.#named(this.#options.stream.workers.successorCheckpoint);
		if (successor) await this.#saver.saveWorker(successor);
	}

	/** Keeps an event that crashes its workers for the developer. */
	savePoison({ offset, event }: LogEntry): void {
		const { shardId, store, notice } = this.#options;
		const name = `poison-shard-${shardId}-${offset}.json`;
		notice('events:poisoned', `a ${event.type} event crashed its worker repeatedly; it is skipped and saved in ${name}`);
		store.write(name, Buffer.from(event.frame(offset))).catch((error: unknown) => {
			notice('events:poisoned', `cannot save ${name}, so that event is not kept: ${messageOf(error)}`);
		});
	}

	/** See {@link ShardSaver.retrySoon}. */
	retrySoon(): void {
		this.#saver.retrySoon();
	}

	/** Nothing is saved by itself any more. */
	close(): void {
		this.#saver.stop();
	}

	/** Saves or removes everything. */
	finish({ keep }: { keep: boolean }): Promise<void> {
		return keep ? this.#saver.saveNow() : this.#saver.remove();
	}

	#named(worker: Omit<SavedWorker, 'manager'> | null): SavedWorker | null {
		return worker && { ...worker, manager: this.#options.manager };
	}

	/** Position through which every event of the shard is in the state, also where the session's newest events were for other shards. */
	get #completeThrough(): number {
		const { stream, session } = this.#options;
		const { oldestOffset, cursor } = stream;
		return oldestOffset === undefined ? Math.max(cursor, session.newest) : oldestOffset - 1;
	}

	#snapshot(): ShardSnapshot | null {
		const { shardId, layout, session, stream, voice } = this.#options;
		const checkpoint = session.checkpoint();
		const { state, cursor, isSettled } = stream;
		if (!checkpoint || !state || !isSettled) return null;
		return {
			shardId,
			layout: { ...layout, sessions: checkpoint.of },
			session: checkpoint.session,
			seq: cursor - checkpoint.base,
			cursor,
			through: this.#completeThrough,
			botId: session.botId,
			voice: voice.places,
			state,
		};
	}
}

/** A snapshot, moved forward by a part of its journal. */
interface Replay extends Pick<SavedState, 'snapshot' | 'cursor' | 'through'> {
	readonly data: Uint8Array;
	readonly voice: VoicePlaces;
	readonly journal: Uint8Array;
	/** How far it has come in the journal: 0 where that belongs to another snapshot. */
	readonly end: number;
}

function beginReplay(data: Uint8Array): Replay {
	const snapshot = decodeSnapshot(data);
	const { cursor, through } = snapshot;
	const voice = new VoicePlaces();
	voice.restore(snapshot.voice);
	return { snapshot, cursor, through, data, voice, journal: new Uint8Array(), end: 0 };
}

/** Whether this is the snapshot, and begins with the part of the journal, from which it was made. */
function continuesReplay({ data, journal, end }: Replay, sameData: Uint8Array, longer: Uint8Array): boolean {
	const isSame = (one: Uint8Array, other: Uint8Array) => one === other || Buffer.compare(one, other) === 0;
	return isSame(data, sameData) && isSame(journal.subarray(0, end), longer.subarray(0, end));
}

/** Moves it forward by the rest of the journal, as far as that is whole. */
function replay(before: Replay, journal: Uint8Array): Replay {
	const { snapshot, voice } = before;
	const { state, botId } = snapshot;
	if (!isJournalOf(journal, snapshot.cursor)) return before;
	let { cursor, through, end } = before;
	if (end === 0) end = journalHead(snapshot.cursor).length;
	for (const batch of readJournal(journal, snapshot.cursor, end)) {
		for (const { offset, t, d } of batch.events) {
			state.apply({ t, d });
			voice.take({ t, d }, botId);
			cursor = offset;
		}
		({ through, end } = batch);
	}
	return { ...before, cursor, through, journal, end };
}
