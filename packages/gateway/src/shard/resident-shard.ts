// One shard of a gateway process: its session with Discord, its stream, the worker on the other end, and what is saved of them.
// It decides who gets the stream; how events flow is the stream's affair.
import {
	type BufferLimits,
	type Clock,
	type Delivery,
	fatalCloseCodes,
	type GatewayInfo,
	type GatewayNotice,
	type GatewayShardStats,
	messageOf,
	ShardctlError,
	sleep,
	type UpstreamCompression,
} from '@shardctl/core';
import {
	type ClientRequest,
	type CloseCode,
	EncodedDispatch,
	type IdentifyAnswer,
	type IdentifyPayload,
	type SessionStore,
} from '@shardctl/gateway-protocol';
import type { LogEntry } from '../buffer/event-log.js';
import type { WorkerSession } from '../downstream/worker-session.js';
import { readJournal } from '../snapshots/event-journal.js';
import { type SavedWorker, ShardSaver, savedNames } from '../snapshots/shard-saver.js';
import type { ShardSnapshot } from '../snapshots/shard-snapshot.js';
import { decodeSnapshot } from '../snapshots/shard-snapshot.js';
import type { SnapshotStore } from '../snapshots/snapshot-store.js';
import type { RawObject } from '../state/raw.js';
import { UpstreamSessions } from '../upstream/upstream-sessions.js';
import type { SessionTerms } from '../upstream/upstream-shard.js';
import { ShardStream } from './shard-stream.js';
import { VoiceMemory } from './voice-memory.js';

/** How long a worker that is to hand over may take to say that it has everything; after that it is not replaced. */
const drainMs = 10_000;
/** How long a worker that asked for more intents waits at most until the present one has everything from before. */
const settleMs = 10_000;

export interface ResidentShardOptions {
	shardId: number;
	totalShards: number;
	/** Of the worker that is let in; see {@link ResidentShard.expect}. */
	incarnation: number;
	token: string;
	gateway: GatewayInfo;
	compression: UpstreamCompression;
	delivery: Delivery;
	buffer: BufferLimits;
	clock: Clock;
	store: SnapshotStore;
	/** The local sessions; a function, because they come into being with the server. */
	sessions(): SessionStore;
	/** Address at which a session resumes. */
	resumeUrl(session: WorkerSession): string;
	waitForIdentify(signal: AbortSignal): Promise<void>;
	onIdentified(): void;
	onRefused(closeCode: number): void;
	notice(notice: Omit<GatewayNotice, 'shardId'>): void;
}

/** A worker that is to take over, from the moment that this is known. */
interface Handover {
	incarnation: number;
	/** Whether its IDENTIFY is let through. */
	present: Decision<boolean>;
	/** Its IDENTIFY is there. */
	waiting: Decision<void>;
}

interface Decision<Value> {
	promise: Promise<Value>;
	resolve(value: Value): void;
}

export class ResidentShard {
	readonly stream: ShardStream;
	readonly #options: ResidentShardOptions;
	readonly #upstream: UpstreamSessions;
	readonly #saver: ShardSaver;
	readonly #voice = new VoiceMemory();
	/** Position of an event = this + Discord's number of it. */
	#base = 0;
	#botId = '';
	#ping: number | null = null;
	/** Of the worker that the stream is for; only it, and the one that is to take over, are let in. */
	#incarnation: number;
	#handover: Handover | null = null;
	#refused = decision<void>();
	#stopped = false;

	constructor(options: ResidentShardOptions) {
		const { shardId, totalShards, token, gateway, compression, clock, delivery, buffer, store } = options;
		this.#options = options;
		this.#incarnation = options.incarnation;
		const notice = (kind: GatewayNotice['kind'], message: string) => options.notice({ kind, message });
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
		this.#upstream = new UpstreamSessions({
			shardId,
			totalShards,
			token,
			gateway,
			compression,
			clock,
			waitForIdentify: (signal) => options.waitForIdentify(signal),
			onDispatch: (dispatch, seq) => {
				this.#voice.take(dispatch, this.#botId);
				if (dispatch.t === 'READY') this.#beginSession(dispatch.d as RawObject, seq);
				else this.stream.receive(dispatch, this.#base + seq);
			},
			onReady: () => {
				this.stream.counters.identifies++;
				options.onIdentified();
				notice('upstream:ready', 'Discord has started a session');
			},
			onResumed: () => {
				this.stream.counters.resumes++;
				notice('upstream:resumed', 'the session with Discord goes on');
			},
			onClosed: (code) =>
				notice('upstream:disconnected', `the connection to Discord closed (${code}); workers are not concerned`),
			onSessionLost: () => {
				this.stream.counters.sessionsLost++;
				notice('upstream:session-lost', 'Discord has ended the session; a new one will be compared with what workers know');
			},
			onRefused: (code) => {
				this.#refused.resolve();
				options.onRefused(code);
			},
			onRequestsDropped: (opcode) =>
				notice('requests:dropped', `workers ask more than Discord takes: requests (op ${opcode}) that do not fit are dropped`),
			onPing: (latencyMs) => {
				this.#ping = latencyMs;
			},
		});
		this.#saver = new ShardSaver({
			shardId,
			store,
			clock,
			snapshot: () => this.#snapshot(),
			worker: () => this.stream.worker && savedWorker(this.stream.worker, this.stream.confirmed),
			onFailed: (message) => notice('snapshot:failed', `the snapshot could not be saved, and will be tried again: ${message}`),
		});
	}

	/** Goes on where an earlier process ended, if that left something to go on with. `withWorkers`: its workers live on. */
	async restore({ withWorkers }: { withWorkers: boolean }): Promise<void> {
		const { shardId, totalShards, store, notice } = this.#options;
		try {
			const names = savedNames(shardId);
			const data = await store.read(names.shard);
			if (!data) return;
			const snapshot = decodeSnapshot(data);
			if (snapshot.totalShards !== totalShards || snapshot.shardId !== shardId) return;
			const { state, botId, session } = snapshot;
			this.#voice.restore(snapshot.voice);
			const cursor = replay((await store.read(names.journal)) ?? new Uint8Array(), snapshot, this.#voice);
			this.#base = snapshot.cursor - snapshot.seq;
			this.#botId = botId;
			this.stream.restore(state, cursor, botId);
			if (withWorkers) await this.#restoreWorker();
			const seq = cursor - this.#base;
			this.#upstream.resume(session, seq);
			notice({ kind: 'snapshot:restored', message: `going on behind event ${seq}` });
		} catch (error) {
			notice({ kind: 'snapshot:unusable', message: `${messageOf(error)}; the shard starts anew` });
		}
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
		await Promise.race([this.stream.whenReady(), this.#refused.promise]);
		const { refusedWith } = this.#upstream;
		if (refusedWith !== undefined) return { accept: false, close: refusedWith as CloseCode, detail: 'as Discord did' };
		if (this.#stopped) return { accept: false, close: 4000 };
		await this.#saver.saveFirst();
		this.#upstream.showPresence(identify.presence);
		return { accept: true };
	}

	/**
	 * Starts the session with Discord where there is none, or a new one where the present one lacks intents that a worker asks for.
	 * Meanwhile the present worker's events flow on; if Discord refuses, nothing has changed.
	 */
	async #ensureSession(identify: IdentifyPayload): Promise<IdentifyAnswer | undefined> {
		const terms: SessionTerms = {
			intents: identify.intents,
			largeThreshold: identify.large_threshold ?? null,
			presence: identify.presence ?? null,
		};
		const missing = this.#upstream.missing(terms.intents);
		if (missing === 0 || this.#upstream.refusedWith !== undefined) {
			if (this.#upstream.refusedWith !== undefined) this.#refused = decision();
			this.#upstream.start(terms);
			return undefined;
		}
		const intents = terms.intents | (this.#upstream.terms?.intents ?? 0);
		const outcome = await this.#upstream.renew({ ...terms, intents });
		if (outcome === 'called off') return this.#refuse(4000, 'a worker that asked for more intents was called off');
		if (outcome !== 'accepted') {
			const close = outcome.refusedWith as CloseCode;
			return this.#refuse(
				close,
				`Discord refused intents that a worker asked for (${missing}); its session goes on without them`,
			);
		}
		const message = `a worker asked for more intents (${missing}): Discord has started a new session with them`;
		this.#options.notice({ kind: 'upstream:intents', message });
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
		this.#upstream.requests.forget(session);
		// A worker that is replaced leaves its channels to the next one; of one that died nobody would speak there any more.
		if (session === this.stream.worker && !this.#handover && !this.#stopped) this.#leaveVoice();
		this.stream.ended(session);
		void this.#saver.saveWorker();
	}

	request(session: WorkerSession, request: ClientRequest): void {
		if (request.op === 8 && request.d.nonce) this.stream.expectAnswer(request.d.nonce, session);
		this.#upstream.request(request, session);
		if (request.op !== 4) return;
		for (const { t, d } of this.#voice.answerTo(request.d, session)) session.dispatchUnrecorded(EncodedDispatch.of(t, d));
	}

	beginHandover(incarnation: number): void {
		this.#handover = { incarnation, present: decision(), waiting: decision() };
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
		this.#upstream.callOff();
		this.#handover?.present.resolve(false);
		this.#handover = null;
		this.stream.dropSuccessor();
	}

	stats(): GatewayShardStats {
		return {
			shardId: this.#options.shardId,
			upstream: this.#upstream.status,
			ping: this.#ping,
			worker: this.stream.workerStatus,
			guildCount: this.stream.state?.guildCount ?? 0,
			stateBytes: this.stream.state?.bytes ?? 0,
			requestsWaiting: this.#upstream.requests.waiting,
			requestsDropped: this.#upstream.requests.dropped,
			...this.stream.figures,
			...this.stream.counters,
			...this.#saver.figures,
		};
	}

	/** With `keepSession` everything is left for the next process; else the session ends and nothing stays. */
	async stop({ keepSession }: { keepSession: boolean }): Promise<void> {
		this.#stopped = true;
		this.#refused.resolve();
		this.#handover?.present.resolve(false);
		this.stream.pause();
		this.#saver.stop();
		await this.#upstream.stop({ keepSession });
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

	#beginSession(ready: RawObject, seq: number): void {
		this.#base = this.stream.newest;
		this.#botId = (ready.user as { id: string }).id;
		this.#voice.clear();
		this.stream.beginSession(ready, this.#base + seq, this.#upstream.terms?.intents ?? 0);
	}

	#leaveVoice(): void {
		for (const request of this.#voice.leaving()) this.#upstream.request(request);
	}

	#readyOverrides(session: WorkerSession): RawObject {
		const { shardId, totalShards } = this.#options;
		return { session_id: session.id, resume_gateway_url: this.#options.resumeUrl(session), shard: [shardId, totalShards] };
	}

	#snapshot(): ShardSnapshot | null {
		const session = this.#upstream.saved;
		const { state, cursor, isSettled } = this.stream;
		if (!session || !state || !isSettled) return null;
		const { shardId, totalShards } = this.#options;
		const seq = cursor - this.#base;
		return { shardId, totalShards, session, seq, cursor, botId: this.#botId, voice: this.#voice.places, state };
	}

	async #restoreWorker(): Promise<void> {
		const { shardId, store } = this.#options;
		const data = await store.read(savedNames(shardId).worker);
		const saved = data && (JSON.parse(Buffer.from(data).toString()) as SavedWorker | null);
		if (!saved) return;
		const session = this.#options.sessions().restore(saved.sessionId, saved.identify) as WorkerSession;
		session.incarnation = saved.incarnation;
		session.unconfirmedAt = saved.unconfirmedAt;
		this.stream.restoreWorker(session, saved.handledThrough);
	}

	/** A process that was called off, or that outlived the one after it. */
	#refuseStranger(incarnation: number): IdentifyAnswer {
		return this.#refuse(4000, `process ${incarnation} of a worker came, and ${this.#incarnation} is the one that is expected`);
	}

	#refuse(close: CloseCode, detail: string): IdentifyAnswer {
		this.#options.notice({ kind: 'worker:refused', message: `${detail} (${fatalCloseCodes.get(close) ?? close})` });
		return { accept: false, close, detail };
	}

	#handoverOf(incarnation: number): Handover {
		if (this.#handover?.incarnation === incarnation) return this.#handover;
		throw new ShardctlError('PROTOCOL_ERROR', `shard ${this.#options.shardId} has no handover to incarnation ${incarnation}`);
	}

	#savePoison(entry: LogEntry): void {
		const { shardId, store, notice } = this.#options;
		const name = `poison-shard-${shardId}-${entry.offset}.json`;
		notice({
			kind: 'events:poisoned',
			message: `a ${entry.event.type} killed its worker again and again; it is set aside in ${name}`,
		});
		store.write(name, Buffer.from(entry.event.frame(entry.offset))).catch((error: unknown) => {
			notice({ kind: 'snapshot:failed', message: `${name} could not be saved: ${messageOf(error)}` });
		});
	}
}

/** Moves what a snapshot says on by what its journal holds. Answers the position where that ends. */
function replay(journal: Uint8Array, { state, cursor, botId }: ShardSnapshot, voice: VoiceMemory): number {
	let position = cursor;
	for (const { offset, t, d } of readJournal(journal, cursor)) {
		state.apply({ t, d });
		voice.take({ t, d }, botId);
		position = offset;
	}
	return position;
}

function decision<Value>(): Decision<Value> {
	let resolve!: (value: Value) => void;
	const promise = new Promise<Value>((settle) => {
		resolve = settle;
	});
	return { promise, resolve };
}

/** What the next process has to know of a worker's session. */
function savedWorker({ id, incarnation, identify, unconfirmedAt }: WorkerSession, handledThrough: number): SavedWorker {
	return { sessionId: id, incarnation, identify: { ...identify, token: '' }, unconfirmedAt, handledThrough };
}
