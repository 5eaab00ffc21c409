// What is saved of a shard, and how the next gateway process reads it: a snapshot moved forward by its journal, the session of its
// worker, and events that crash workers. When each part is written is decided in `snapshots/shard-saver`.
import {
	age,
	type Clock,
	type GatewayNotice,
	type GatewayShardStats,
	type Layout,
	messageOf,
} from '@shardctl/core';
import type { SessionStore } from '@shardctl/gateway-protocol';
import type { LogEntry } from '../buffer/event-log.js';
import type { WorkerSession } from '../downstream/worker-session.js';
import { readJournal } from '../snapshots/event-journal.js';
import type { HeldSnapshots } from '../snapshots/held-snapshots.js';
import { type SavedNames, savedNames } from '../snapshots/saved-names.js';
import { type SavedWorker, ShardSaver } from '../snapshots/shard-saver.js';
import { decodeSnapshot, type ShardSnapshot } from '../snapshots/shard-snapshot.js';
import type { ShardState } from '../state/shard-state.js';
import type { VoicePlaces } from '../state/voice-places.js';
import type { ShardStream } from '../stream/shard-stream.js';
import type { SessionLink } from './session-link.js';

/** A shard as an earlier process left it. */
export interface SavedState {
	/** Its state is at {@link cursor}, not where the snapshot was taken. */
	snapshot: ShardSnapshot;
	cursor: number;
	/** Position through which every event of the shard is in the state. */
	through: number;
}

export interface SavedShardOptions {
	shardId: number;
	layout: Layout;
	session: Pick<SessionLink, 'botId' | 'newest' | 'checkpoint'>;
	stream: Pick<ShardStream, 'state' | 'cursor' | 'isSettled' | 'oldestOffset' | 'deferredState' | 'workers'>;
	voice: VoicePlaces;
	/** See `botKey`. */
	bot: string;
	store: HeldSnapshots;
	clock: Clock;
	notice(kind: GatewayNotice['kind'], message: string): void;
}

export class SavedShard {
	readonly #options: SavedShardOptions;
	readonly #names: SavedNames;
	readonly #saver: ShardSaver;

	constructor(options: SavedShardOptions) {
		const { shardId, layout, bot, store, clock, stream, notice } = options;
		this.#options = options;
		this.#names = savedNames({ bot, generation: layout.generation }, shardId);
		this.#saver = new ShardSaver({
			names: this.#names,
			store,
			clock,
			snapshot: () => this.#snapshot(),
			completeThrough: () => this.#completeThrough,
			state: stream.deferredState,
			worker: () => stream.workers.checkpoint,
			onFailed: (error, { isFinal }) =>
				notice('snapshot:failed', `${isFinal ? 'stopped saving' : 'cannot save the snapshot, retrying'}: ${messageOf(error)}`),
			onRecovered: (failedForMs) => notice('snapshot:saved', `the snapshot is saved again, after ${age(failedForMs)}`),
		});
	}

	get stats(): Pick<GatewayShardStats, 'snapshotBytes' | 'snapshotAgeMs' | 'snapshotFailure'> {
		return this.#saver.stats;
	}

	/**
	 * What an earlier process left, with the bot's voice channels put into `voice`. Undefined where nothing was saved for this shard count.
	 * Throws `SNAPSHOT_INVALID` for what cannot be read.
	 */
	async read(): Promise<SavedState | undefined> {
		const { shardId, layout, store, voice } = this.#options;
		// Nothing is written meanwhile: this process has claimed them.
		const [data, journal] = await Promise.all([store.read(this.#names.shard), store.read(this.#names.journal)]);
		if (!data) return undefined;
		const snapshot = decodeSnapshot(data);
		if (snapshot.shardId !== shardId || snapshot.layout.totalShards !== layout.totalShards) return undefined;
		voice.restore(snapshot.voice);
		return replay(journal ?? new Uint8Array(), snapshot, voice);
	}

	/** Brings back the session of a worker that is still running, so that it can resume. */
	async restoreWorker(sessions: Pick<SessionStore, 'restore'>): Promise<void> {
		const { store, stream } = this.#options;
		const data = await store.read(this.#names.worker);
		const saved = data && (JSON.parse(Buffer.from(data).toString()) as SavedWorker | null);
		if (!saved) return;
		const session = sessions.restore(saved.sessionId, saved.identify) as WorkerSession;
		stream.workers.restore(session, saved);
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
		const successor = this.#options.stream.workers.successorCheckpoint;
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

	/** See {@link ShardSaver.saveAgain}. */
	saveAgain(): void {
		this.#saver.saveAgain();
	}

	/** Nothing is saved by itself any more. */
	close(): void {
		this.#saver.stop();
	}

	/** Saves or removes everything. */
	finish({ keep }: { keep: boolean }): Promise<void> {
		return keep ? this.#saver.saveNow() : this.#saver.remove();
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

/** Moves a snapshot forward by the events of its journal. */
function replay(journal: Uint8Array, snapshot: ShardSnapshot, voice: VoicePlaces): SavedState {
	const { state, botId } = snapshot;
	let { cursor, through } = snapshot;
	for (const batch of readJournal(journal, cursor)) {
		for (const { offset, t, d } of batch.events) {
			state.apply({ t, d });
			voice.take({ t, d }, botId);
			cursor = offset;
		}
		through = batch.through;
	}
	return { snapshot, cursor, through };
}
