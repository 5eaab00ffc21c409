// One shard as a worker sees it: its stream, the worker on the other end, and what is saved of both. It decides who gets the stream;
// how events flow is the stream's affair, and where they come from is the session's.
import {
	type BufferLimits,
	type Clock,
	type CloseCode,
	type Deferred,
	type Delivery,
	deferred,
	fatalCloseCodes,
	type GatewayNotice,
	type GatewayShardStats,
	messageOf,
	ShardctlError,
	sleep,
} from '@shardctl/core';
import {
	type ClientRequest,
	EncodedDispatch,
	type IdentifyAnswer,
	type IdentifyPayload,
	type SessionStore,
} from '@shardctl/gateway-protocol';
import type { LogEntry } from '../buffer/event-log.js';
import type { WorkerSession } from '../downstream/worker-session.js';
import { requestOfShard } from '../session/event-routing.js';
import type { ResidentSession } from '../session/resident-session.js';
import { readJournal } from '../snapshots/event-journal.js';
import { type SavedWorker, ShardSaver, savedNames } from '../snapshots/shard-saver.js';
import type { ShardSnapshot } from '../snapshots/shard-snapshot.js';
import { decodeSnapshot } from '../snapshots/shard-snapshot.js';
import type { SnapshotStore } from '../snapshots/snapshot-store.js';
import type { Dispatch, RawObject } from '../state/raw.js';
import { VoicePlaces } from '../state/voice-places.js';
import { ShardStream } from '../stream/shard-stream.js';
import type { SessionTerms } from '../upstream/upstream-shard.js';

/** How long a worker that is to hand over may take to say that it has everything; after that it is not replaced. */
const drainMs = 10_000;
/** How long a worker that asked for more intents waits at most until the present one has everything from before. */
const settleMs = 10_000;

export interface ResidentShardOptions {
	shardId: number;
	totalShards: number;
	/** Its events come from there. */
	session: ResidentSession;
	/** Of the worker that is let in; see {@link ResidentShard.expect}. */
	incarnation: number;
	delivery: Delivery;
	buffer: BufferLimits;
	clock: Clock;
	store: SnapshotStore;
	/** The local sessions; a function, because they come into being with the server. */
	sessions(): SessionStore;
	/** Address at which a session resumes. */
	resumeUrl(session: WorkerSession): string;
	notice(kind: GatewayNotice['kind'], message: string): void;
}

/** What an earlier process left of a shard, moved on by its journal. */
export interface SavedShard {
	snapshot: ShardSnapshot;
	/** Where the state stands now. */
	cursor: number;
	/** Position through which every event of the shard is in the state. */
	through: number;
}

/** A worker that is to take over, from the moment that this is known. */
interface Handover {
	incarnation: number;
	/** Whether its IDENTIFY is let through. */
	present: Deferred<boolean>;
	/** Its IDENTIFY is there. */
	waiting: Deferred<void>;
}

export class ResidentShard {
	readonly stream: ShardStream;
	readonly #options: ResidentShardOptions;
	readonly #session: ResidentSession;
	readonly #saver: ShardSaver;
	readonly #voice = new VoicePlaces();
	/** Of the worker that the stream is for; only it, and the one that is to take over, are let in. */
	#incarnation: number;
	#handover: Handover | null = null;
	#closed = false;

	constructor(options: ResidentShardOptions) {
		const { shardId, clock, delivery, buffer, store, notice } = options;
		this.#options = options;
		this.#session = options.session;
		this.#incarnation = options.incarnation;
		this.stream = new ShardStream({
			delivery,
			buffer,
			clock,
			notice,
			endSession: (session) => options.sessions().end(session, 'invalidated'),
			readyOverrides: (session) => this.#readyOverrides(session),
			onApplied: (entry, state) => this.#saver.record(entry, state),
			savePoison: (entry) => this.#savePoison(entry),
		});
		this.#saver = new ShardSaver({
			shardId,
			store,
			clock,
			snapshot: () => this.#snapshot(),
			through: () => this.#through,
			state: this.stream.deferredState,
			worker: () => this.stream.worker && savedWorker(this.stream.worker, this.stream.confirmed),
			onFailed: (message) => notice('snapshot:failed', `the snapshot could not be saved, and will be tried again: ${message}`),
		});
	}

	get id(): number {
		return this.#options.shardId;
	}

	/** What an earlier process left; undefined where there is nothing that fits. Rejects for what cannot be read. */
	async readSaved(): Promise<SavedShard | undefined> {
		const { shardId, totalShards, store } = this.#options;
		const names = savedNames(shardId);
		const data = await store.read(names.shard);
		if (!data) return undefined;
		const snapshot = decodeSnapshot(data);
		if (snapshot.shardId !== shardId || snapshot.totalShards !== totalShards) return undefined;
		if (snapshot.sessions !== this.#session.sessions) return undefined;
		this.#voice.restore(snapshot.voice);
		return replay((await store.read(names.journal)) ?? new Uint8Array(), snapshot, this.#voice);
	}

	/** Goes on there. `withWorkers`: the worker lives on. */
	async restore({ snapshot, cursor }: SavedShard, { withWorkers }: { withWorkers: boolean }): Promise<void> {
		this.stream.restore(snapshot.state, cursor, snapshot.botId);
		if (withWorkers) await this.#restoreWorker();
	}

	/** A new session of Discord's has begun, and this is the shard's part of READY. */
	beginSession(ready: RawObject, offset: number, intents: number): void {
		this.#voice.clear();
		this.stream.beginSession(ready, offset, intents);
	}

	/** An event of the shard's. */
	receive(dispatch: Dispatch, offset: number): void {
		this.#voice.take(dispatch, this.#session.botId);
		this.stream.receive(dispatch, offset);
	}

	/** From now on this incarnation of the worker is the one that is let in. `crashed`: the one before it ended by a fault of its own. */
	expect(incarnation: number, { crashed }: { crashed: boolean }): void {
		this.#incarnation = incarnation;
		if (crashed) this.stream.noteCrash();
	}

	/**
	 * Decides on a worker's IDENTIFY, and starts the session with Discord where there is none. A client without an incarnation
	 * counts as the present worker.
	 */
	async identify(identify: IdentifyPayload, incarnation = this.#incarnation): Promise<IdentifyAnswer> {
		const handover = this.#handover?.incarnation === incarnation ? this.#handover : null;
		if (incarnation !== this.#incarnation && !handover) return this.#refuseStranger(incarnation);
		const refusal = await this.#ensureSession(identify);
		if (refusal) return refusal;
		handover?.waiting.resolve();
		if (handover && !(await handover.present.promise)) return this.#refuseStranger(incarnation);
		await Promise.race([this.stream.whenReady(), this.#session.whenRefused()]);
		const { refusedWith } = this.#session;
		if (refusedWith !== undefined) return { accept: false, close: refusedWith as CloseCode, detail: 'as Discord did' };
		if (this.#closed) return { accept: false, close: 4000 };
		await this.#saver.saveFirst();
		this.#session.showPresence(identify.presence);
		return { accept: true };
	}

	/** Starts the session with Discord where there is none, or a new one where the present one lacks intents that a worker asks for. */
	async #ensureSession(identify: IdentifyPayload): Promise<IdentifyAnswer | undefined> {
		const terms: SessionTerms = {
			intents: identify.intents,
			largeThreshold: identify.large_threshold ?? null,
			presence: identify.presence ?? null,
		};
		const missing = this.#session.missing(terms.intents);
		if (missing === 0 || this.#session.refusedWith !== undefined) {
			this.#session.start(terms);
			return undefined;
		}
		const outcome = await this.#session.askForMore(terms, this);
		if (outcome === 'called off') return this.#refuse(4000, 'a worker that asked for more intents was called off');
		if (outcome !== 'accepted') {
			const close = outcome.refusedWith as CloseCode;
			return this.#refuse(
				close,
				`Discord refused intents that a worker asked for (${missing}); its session goes on without them`,
			);
		}
		await this.#within(settleMs, this.stream.whenSettled());
		return undefined;
	}

	/** The session of a worker has begun. */
	sessionStarted(session: WorkerSession, incarnation = this.#incarnation): void {
		this.stream.counters.workerIdentifies++;
		session.incarnation = incarnation;
		if (this.#handover?.incarnation === incarnation) {
			this.stream.presentTo(session);
			return;
		}
		// It was called off on its way from the IDENTIFY to here.
		if (incarnation !== this.#incarnation) {
			this.#options.sessions().end(session, 'invalidated');
			return;
		}
		// Whoever joined the channels that the bot is in did not come back: neither to this process nor to the one before.
		if (!this.stream.worker) this.#leaveVoice();
		this.stream.admit(session, { hold: session.incarnation > 0, save: () => this.#saver.saveWorker() });
	}

	sessionResumed(): void {
		this.stream.counters.workerResumes++;
		this.stream.resumed();
		// A process after this one may meet it with a new session, and would not know what it has.
		void this.#saver.saveWorker();
	}

	sessionEnded(session: WorkerSession): void {
		this.#session.forget(session);
		// A worker that is replaced leaves its channels to the next one; of one that died nobody would speak there any more.
		if (session === this.stream.worker && !this.#handover && !this.#closed) this.#leaveVoice();
		this.stream.ended(session);
		void this.#saver.saveWorker();
	}

	request(session: WorkerSession, asked: ClientRequest): void {
		const request = requestOfShard(asked, this.id, this.#options.totalShards);
		if (!request) return;
		if (request.op === 8 && request.d.nonce) this.stream.expectAnswer(request.d.nonce, session);
		this.#session.request(request, session);
		if (request.op !== 4) return;
		for (const { t, d } of this.#voice.answerTo(request.d, session)) session.dispatchUnrecorded(EncodedDispatch.of(t, d));
	}

	beginHandover(incarnation: number): void {
		this.#handover = { incarnation, present: deferred(), waiting: deferred() };
	}

	handoverWaiting(incarnation: number): Promise<void> {
		return this.#handoverOf(incarnation).waiting.promise;
	}

	/** Resolves with whether the worker has everything that was sent. */
	async pause(): Promise<boolean> {
		this.stream.pause();
		return this.#within(drainMs, this.stream.drained());
	}

	present(incarnation: number): void {
		this.#handoverOf(incarnation).present.resolve(true);
	}

	async commitHandover(incarnation: number): Promise<void> {
		this.#handoverOf(incarnation);
		const { successor } = this.stream;
		if (successor) await this.#saver.saveWorker(savedWorker(successor, this.stream.cursor));
		this.#handover = null;
		this.#incarnation = incarnation;
		this.stream.promote();
	}

	abortHandover(): void {
		this.#session.callOff(this);
		this.#handover?.present.resolve(false);
		this.#handover = null;
		this.stream.dropSuccessor();
	}

	stats(): GatewayShardStats {
		return {
			shardId: this.id,
			session: this.#session.id,
			worker: this.stream.workerStatus,
			...this.stream.figures,
			...this.stream.counters,
			...this.#saver.figures,
		};
	}

	/** Nobody is let in any more, and no event goes out. */
	close(): void {
		this.#closed = true;
		this.#handover?.present.resolve(false);
		this.stream.pause();
		this.#saver.stop();
	}

	/** The last step, after {@link close} and the end of the session. With `keepSession` everything is left for the next process. */
	async stop({ keepSession }: { keepSession: boolean }): Promise<void> {
		if (keepSession) await this.#saver.saveNow();
		else await this.#saver.remove();
		this.stream.stop();
	}

	/** Whether something happens in time. */
	async #within(limitMs: number, happening: Promise<void>): Promise<boolean> {
		const done = new AbortController();
		try {
			return await Promise.race([
				happening.then(() => true),
				sleep(this.#options.clock, limitMs, done.signal).then(
					() => false,
					() => false,
				),
			]);
		} finally {
			done.abort();
		}
	}

	#leaveVoice(): void {
		for (const request of this.#voice.leaving()) this.#session.request(request);
	}

	#readyOverrides(session: WorkerSession): RawObject {
		const { shardId, totalShards } = this.#options;
		return { session_id: session.id, resume_gateway_url: this.#options.resumeUrl(session), shard: [shardId, totalShards] };
	}

	/** Position through which every event of the shard is in the state, whether the session's newest events were for it or not. */
	get #through(): number {
		const { oldestOffset, cursor } = this.stream;
		return oldestOffset === undefined ? Math.max(cursor, this.#session.newest) : oldestOffset - 1;
	}

	#snapshot(): ShardSnapshot | null {
		const { saved: session, sessions, base, botId } = this.#session;
		const { state, cursor, isSettled } = this.stream;
		if (!session || !state || !isSettled) return null;
		const { shardId, totalShards } = this.#options;
		const at = { seq: cursor - base, cursor, through: this.#through };
		return { shardId, totalShards, sessions, session, ...at, botId, voice: this.#voice.places, state };
	}

	async #restoreWorker(): Promise<void> {
		const { shardId, store } = this.#options;
		const data = await store.read(savedNames(shardId).worker);
		const saved = data && (JSON.parse(Buffer.from(data).toString()) as SavedWorker | null);
		if (!saved) return;
		const session = this.#options.sessions().restore(saved.sessionId, saved.identify) as WorkerSession;
		session.incarnation = saved.incarnation;
		session.unconfirmedAt = saved.unconfirmedAt;
		session.resumableFrom = saved.resumableFrom;
		this.stream.restoreWorker(session, saved.handledThrough);
	}

	/** A process that was called off, or that outlived the one after it. */
	#refuseStranger(incarnation: number): IdentifyAnswer {
		return this.#refuse(4000, `process ${incarnation} of a worker came, and ${this.#incarnation} is the one that is expected`);
	}

	#refuse(close: CloseCode, detail: string): IdentifyAnswer {
		this.#options.notice('worker:refused', `${detail} (${fatalCloseCodes.get(close) ?? close})`);
		return { accept: false, close, detail };
	}

	#handoverOf(incarnation: number): Handover {
		if (this.#handover?.incarnation === incarnation) return this.#handover;
		throw new ShardctlError('PROTOCOL_ERROR', `shard ${this.#options.shardId} has no handover to incarnation ${incarnation}`);
	}

	#savePoison(entry: LogEntry): void {
		const { shardId, store, notice } = this.#options;
		const name = `poison-shard-${shardId}-${entry.offset}.json`;
		notice('events:poisoned', `a ${entry.event.type} killed its worker again and again; it is set aside in ${name}`);
		store.write(name, Buffer.from(entry.event.frame(entry.offset))).catch((error: unknown) => {
			notice('snapshot:failed', `${name} could not be saved: ${messageOf(error)}`);
		});
	}
}

/** Moves what a snapshot says on by what its journal holds. */
function replay(journal: Uint8Array, snapshot: ShardSnapshot, voice: VoicePlaces): SavedShard {
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

/** What the next process has to know of a worker's session. */
function savedWorker(session: WorkerSession, handledThrough: number): SavedWorker {
	const { id, incarnation, identify, unconfirmedAt, resumableFrom } = session;
	return { sessionId: id, incarnation, identify: { ...identify, token: '' }, unconfirmedAt, resumableFrom, handledThrough };
}
