// One shard as workers see it, and the only door to it: connects the stream to its worker, the hand-over between two processes of that
// worker, and what is saved of the shard. Events come from the session (`session-link`); how they flow is decided in the stream.
import {
	type BufferLimits,
	type Clock,
	type Deferred,
	type Delivery,
	deferred,
	fatalClose,
	type GatewayNotice,
	type GatewayShardStats,
	type Layout,
	type LostEvents,
	type ShardSample,
	type WorkerConnection,
} from '@shardctl/core';
import {
	type ClientRequest,
	EncodedDispatch,
	type IdentifyAnswer,
	type IdentifyPayload,
	type SessionOptions,
	type SessionStore,
} from '@shardctl/gateway-protocol';
import type { WorkerDoor } from '../downstream/worker-door.js';
import { WorkerSession } from '../downstream/worker-session.js';
import type { HeldSnapshots } from '../snapshots/held-snapshots.js';
import type { ShardSnapshot } from '../snapshots/shard-snapshot.js';
import type { Dispatch, RawObject } from '../state/raw.js';
import type { ShardState } from '../state/shard-state.js';
import { type VoicePlace, VoicePlaces } from '../state/voice-places.js';
import type { QueueConsumer } from '../stream/queue-consumer.js';
import { ShardStream } from '../stream/shard-stream.js';
import type { SavedSession, SessionTerms } from '../upstream/upstream-shard.js';
import { Admission } from './admission.js';
import { CurrentSession } from './current-session.js';
import { Handover, type HandoverState } from './handover.js';
import { requestOfShard } from './request-routing.js';
import { SavedShard, type SavedState } from './saved-shard.js';
import type { SessionLink } from './session-link.js';
import { within } from './within.js';

/** How long a worker that is to be replaced may take to confirm everything that it was sent. */
const drainMs = 10_000;

/** States of a hand-over in which the stream is paused. */
const pausingStates: ReadonlySet<HandoverState> = new Set(['pausing', 'paused', 'presenting', 'committing', 'closed']);

export interface ResidentShardOptions {
	shardId: number;
	layout: Layout;
	session: SessionLink;
	/** Of the worker's process that is admitted; see {@link ResidentShard.admitOnly}. */
	incarnation: number;
	/** Whether every shard of that process is ready (default: it is). Until it is, its events wait. */
	workerIsReady?: boolean;
	delivery: Delivery;
	buffer: BufferLimits;
	clock: Clock;
	/** See `botKey`. */
	bot: string;
	/** See `SavedShardOptions`. */
	manager?: string;
	store: HeldSnapshots;
	/** The sessions of workers; a function, because the server creates them later. */
	workerSessions(): Pick<SessionStore, 'end' | 'restore'>;
	/** Resolves when the session is this process's, and restored (default: it is). */
	owned?: Promise<void>;
	/** Makes what gets the events in place of workers. */
	createQueue?(stream: Pick<ShardStream, 'noteQueued' | 'continue'> & { isFirst(): boolean }): QueueConsumer;
	/** Asked before each event that goes to a worker (default: always). */
	mayRelease?(): boolean;
	/** Nothing goes to a worker while what is saved was not answered for so long (default: it does). */
	silentAfterMs?: number;
	/** Address at which a session of this process of the worker resumes. */
	resumeUrl(incarnation: number): string;
	/** What has become of the connection of a worker's process. */
	onConnection(connection: Omit<WorkerConnection, 'shardId'>): void;
	notice(kind: GatewayNotice['kind'], message: string): void;
	/** Events were lost since the last call. */
	onLost?(lost: LostEvents): void;
}

/** What a shard begins with whose guilds were in other shards until now. */
export interface AdoptedGuilds {
	state: ShardState;
	/** Position of the state, which is that of the session. */
	cursor: number;
	botId: string;
	/** The voice channels that the bot is in. */
	voice: readonly VoicePlace[];
}

/** What cannot be saved is reported where it is written. */
const reported = (): void => {};

export class ResidentShard implements WorkerDoor {
	/** Which process of the worker is admitted, and how its successor takes over. */
	readonly handover: Handover;
	readonly #options: ResidentShardOptions;
	readonly #session: CurrentSession;
	readonly #queue: QueueConsumer | undefined;
	readonly #stream: ShardStream;
	readonly #saved: SavedShard;
	readonly #admission: Admission;
	readonly #voice = new VoicePlaces();
	/** Sessions with a connection, and the incarnation that each belongs to. */
	readonly #connected = new Map<WorkerSession, number>();
	/** Sessions whose next heartbeat is waited for. */
	readonly #heard = new Map<WorkerSession, Deferred<void>>();
	/** The worker of another shard may be in its voice channels, and leaves them to the first of this one. */
	#isInherited = false;
	/** See {@link leave}. */
	#hasLeft = false;

	constructor(options: ResidentShardOptions) {
		const { shardId, incarnation, workerIsReady = true, delivery, buffer, clock, notice } = options;
		const session = new CurrentSession(options.session);
		this.#options = options;
		this.#session = session;
		this.#queue = options.createQueue?.({
			noteQueued: (position) => this.#stream.noteQueued(position),
			continue: () => this.#stream.continue(),
			// A session has the number of its first shard.
			isFirst: () => session.id === shardId,
		});
		this.#stream = new ShardStream({
			...(this.#queue && { queue: this.#queue }),
			mayRelease: () => (options.mayRelease?.() ?? true) && !this.#saved.isSilent,
			delivery,
			buffer,
			clock,
			notice,
			endSession: (ended) => options.workerSessions().end(ended, 'invalidated'),
			readyOverrides: (of, process) => this.#readyOverrides(of, process),
			onApplied: (entry, state) => this.#saved.record(entry, state),
			savePoison: (entry) => this.#saved.savePoison(entry),
			...(options.onLost && { onLost: options.onLost }),
			onPresented: (of) => this.#report(of, 'ready'),
		});
		this.#saved = new SavedShard({ ...options, session, stream: this.#stream, voice: this.#voice });
		this.handover = new Handover(shardId, incarnation, {
			pause: () => this.drain(),
			released: () => this.#stream.workers.released(),
			saveSuccessor: () => this.#saved.saveSuccessor(),
			promote: () => this.#stream.workers.promote(),
			rollBack: () => {
				session.release(this);
				this.#stream.workers.dropSuccessor();
			},
		});
		// Also where no session of it is restored: it identifies again, and nobody reports once more that it is ready.
		if (workerIsReady) this.#stream.workers.releaseHold(incarnation);
		const parts = { session, stream: this.#stream, saved: this.#saved, handover: this.handover };
		this.#admission = new Admission({ ...parts, clock, notice, shard: this });
	}

	get id(): number {
		return this.#options.shardId;
	}

	/** Position of the newest event that the shard has received. */
	get newest(): number {
		return this.#stream.newest;
	}

	/** Position behind which nothing was received or handled yet, here or in an earlier process. */
	get last(): number {
		return Math.max(this.#stream.newest, this.#stream.workers.handledThrough);
	}

	/** See {@link SavedShard.read}. */
	readSaved(): Promise<SavedState | undefined> {
		return this.#saved.read();
	}

	/** See {@link SavedShard.peek}. */
	peekSaved(): Promise<ShardSnapshot | undefined> {
		return this.#saved.peek();
	}

	/** Continues where an earlier process ended, on this session. `withWorkers`: its worker is still running. */
	async restore(
		saved: SavedState,
		{ withWorkers, session, base }: { withWorkers: boolean; session: SavedSession; base: number },
	): Promise<void> {
		const { snapshot, cursor } = saved;
		this.#queue?.begin(session.sessionId, base);
		this.#stream.restore(snapshot.state, cursor, snapshot.botId);
		this.#saved.continueSaved(saved);
		if (!withWorkers) return;
		const { workerSessions, incarnation, workerIsReady = true } = this.#options;
		await this.#saved.restoreWorker(workerSessions(), { booting: workerIsReady ? null : incarnation });
	}

	/** Discord has started a new session; `ready` is the shard's part of its READY. */
	beginSession(ready: RawObject, position: number, intents: number): void {
		this.#voice.clear();
		this.#queue?.begin(ready.session_id as string, this.#session.base);
		this.#stream.beginSession(ready, position, intents);
	}

	/** An event of the shard. */
	receive(dispatch: Dispatch, position: number): void {
		this.#voice.take(dispatch, this.#session.botId);
		this.#stream.receive(dispatch, position);
	}

	/** Whether its worker has confirmed every event of the session, so that another session can continue here. */
	get isQuiet(): boolean {
		return this.#stream.isQuiet;
	}

	/** Whether events wait for a worker that is not there, that is not ready, or that receives none at the moment. */
	get isHeldUp(): boolean {
		return this.#stream.oldestOffset !== undefined && !this.#stream.isFlowing;
	}

	/** Saves everything; resolves with whether it is saved. */
	async save(): Promise<boolean> {
		await this.#saved.finish({ keep: true });
		return this.#saved.stats.snapshotFailure === null && this.#saved.stats.snapshotAgeMs !== null;
	}

	/** Whether a new process of its worker is about to take over. */
	get isHandedOver(): boolean {
		return this.handover.state !== 'none';
	}

	/** At the cursor. */
	get state(): ShardState | undefined {
		return this.#stream.state;
	}

	get voicePlaces(): readonly VoicePlace[] {
		return this.#voice.places;
	}

	/** As a shard of another shard count than the one before: begins with the guilds that it has from now on. */
	adopt({ state, cursor, botId, voice }: AdoptedGuilds): void {
		this.#voice.restore(voice);
		this.#isInherited = true;
		this.#stream.restore(state, cursor, botId);
	}

	/** Whether its session stays as it is, whatever intents its worker requests: until its guilds are its own for good. */
	keepIntents(keeps: boolean): void {
		this.#session.keepIntents(keeps);
	}

	/** Its guilds are in shards of another count: the worker that logs out leaves its voice channels to the workers of those. */
	leave(hasLeft = true): void {
		this.#hasLeft = hasLeft;
	}

	/** Resolves when the session of its worker is over. */
	released(): Promise<void> {
		return this.#stream.workers.released();
	}

	/** Requests wait until {@link continueOn}. */
	holdRequests(): void {
		this.#session.hold();
	}

	/** The session that carries the shard from now on (default: as before); its events follow those of the former one. */
	continueOn(session?: SessionLink): void {
		const id = session?.checkpoint()?.session.sessionId;
		if (id !== undefined) this.#queue?.begin(id, session?.base ?? 0);
		this.#session.continue(session);
	}

	/** The requests that bring the bot back into its voice channels, on a session that is in none. */
	get voiceRequests(): ClientRequest[] {
		return this.#voice.joining();
	}

	/** Admits this process of the worker from now on, and none before it. `crashed`: the one before it ended by its own fault. */
	admitOnly(incarnation: number, { crashed }: { crashed: boolean }): void {
		this.handover.replacePresent(incarnation);
		// A hand-over under way pauses the stream for itself.
		if (!pausingStates.has(this.handover.state)) this.#stream.workers.unpause();
		if (crashed) this.#stream.noteCrash();
	}

	/** Stops the stream to the present process. Resolves with whether it has confirmed in time everything that it was sent. */
	drain(): Promise<boolean> {
		this.#stream.workers.pause();
		return within(this.#options.clock, drainMs, this.#stream.workers.drained());
	}

	/** Every shard of this process of the worker is ready: its events may flow. */
	workerReady(incarnation: number): void {
		this.#stream.workers.releaseHold(incarnation);
	}

	/**
	 * Resolves with true once an IDENTIFY would be answered at once. The session with Discord is started with `terms` where it was
	 * never started; without terms it then resolves with false.
	 */
	async prepare(terms: SessionTerms | null): Promise<boolean> {
		await this.#options.owned;
		if (!this.#session.prepare(terms)) return false;
		await Promise.race([this.#stream.whenReady(), this.#session.refusal()]);
		return true;
	}

	/** A client on a path of no worker's process counts as the present process. */
	async identify(identify: IdentifyPayload, incarnation = this.handover.present): Promise<IdentifyAnswer> {
		this.#options.onConnection({ incarnation, status: 'identifying' });
		await this.#options.owned;
		const answer = await this.#admission.decide(identify, incarnation);
		if (!answer.accept && 'close' in answer && fatalClose(answer.close))
			this.#options.onConnection({ incarnation, status: 'refused', closeCode: answer.close });
		return answer;
	}

	/** The sessions with a connection of this process of the worker; while there is none, resolves with an empty list. */
	connectionsOf(incarnation: number): WorkerSession[] {
		return [...this.#connected].filter(([, of]) => of === incarnation).map(([session]) => session);
	}

	/** The sessions of its worker, and of one that is to take over. */
	get workerSessions(): WorkerSession[] {
		return this.#stream.workers.sessions;
	}

	/** The client of a session has sent a heartbeat just now, or sends one, for which it is asked, or its connection is gone. */
	heard(session: WorkerSession): Promise<void> {
		if (session.isHeard(this.#options.clock.monotonic()) || !this.#connected.has(session)) return Promise.resolve();
		const heard = this.#heard.get(session) ?? deferred();
		this.#heard.set(session, heard);
		return heard.promise;
	}

	/** Figures of this process of the worker. */
	sample(incarnation: number): ShardSample {
		const [session] = this.connectionsOf(incarnation);
		return { shardId: this.id, ...this.#stream.counts, ping: session?.roundTripMs ?? null };
	}

	/** What waited because nothing might be released; it would be repeated if it was released for long and not saved. */
	continueStream(): void {
		this.#saved.retrySoon();
		this.#stream.continue();
	}

	/** The shard is saved under a later fence, also where saving had ended because the former was refused. */
	saveAgain(): void {
		this.#saved.retrySoon();
		this.#queue?.claimAgain();
	}

	createSession(options: SessionOptions): WorkerSession {
		return new WorkerSession(options, this.#stream);
	}

	sessionStarted(session: WorkerSession, incarnation = this.handover.present): void {
		if (!this.handover.admits(incarnation)) {
			// Its process was replaced while the IDENTIFY was being answered.
			this.#options.workerSessions().end(session, 'invalidated');
			return;
		}
		this.#noteConnection(session, incarnation);
		if (incarnation === this.handover.successor) {
			this.#stream.workers.presentTo(session, incarnation);
			return;
		}
		const { workers } = this.#stream;
		// The session that joined the bot's voice channels is over, in this gateway process or in the one before.
		const isFirst = !workers.current || this.handover.state === 'none';
		if (isFirst && !this.#isInherited) this.#leaveVoice();
		this.#isInherited = false;
		workers.admit(session, { incarnation, hold: incarnation > 0, save: () => this.#saved.saveWorker() });
	}

	sessionResumed(session: WorkerSession): void {
		this.#noteConnection(session, this.#stream.workers.incarnationOf(session));
		this.#stream.resumed();
		this.#report(session, 'resumed');
		// A later gateway process may meet the worker with a new session, and would not know what it has.
		this.#saved.saveWorker().catch(reported);
	}

	sessionDetached(session: WorkerSession): void {
		this.#noteDisconnection(session);
		this.#stream.workers.detached(session);
	}

	sessionEnded(session: WorkerSession): void {
		this.#noteDisconnection(session);
		this.#session.release(session);
		// A worker that is replaced leaves its voice channels to its successor; after one that died, no process would use them.
		const isLast = session === this.#stream.workers.current && this.handover.state === 'none';
		if (isLast && !this.#hasLeft) this.#leaveVoice();
		this.#stream.workers.ended(session);
		if (!this.#hasLeft) this.#saved.saveWorker().catch(reported);
	}

	heartbeat(session: WorkerSession, seq: number | null): void {
		session.noteHeartbeat(this.#options.clock.monotonic());
		this.#endWait(session);
		this.#stream.heartbeat(session, seq);
	}

	request(session: WorkerSession, asked: ClientRequest): void {
		const request = requestOfShard(asked, this.id, this.#options.layout.totalShards);
		if (!request) return;
		if (request.op === 8 && request.d.nonce) this.#stream.expectAnswer(request.d.nonce, session);
		this.#session.request(request, session);
		if (request.op !== 4) return;
		for (const { t, d } of this.#voice.answerTo(request.d, session)) session.dispatchUnrecorded(EncodedDispatch.of(t, d));
	}

	/** A request of a program that has no session here. Returns false where no guild of the shard is in it. */
	requestFor(asked: ClientRequest): boolean {
		const request = requestOfShard(asked, this.id, this.#options.layout.totalShards);
		if (request) this.#session.request(request);
		return request !== undefined;
	}

	/** A guild as GUILD_CREATE would say it; undefined where the bot is not in it, or it is in an outage. */
	guild(id: string): RawObject | undefined {
		return this.#stream.state?.guild(id);
	}

	stats(): GatewayShardStats {
		const queueFailure = this.#queue && { queueFailure: this.#queue.failure };
		return { shardId: this.id, session: this.#session.id, ...this.#stream.stats, ...this.#saved.stats, ...queueFailure };
	}

	/** Admits no process and sends no event any more. */
	close(): void {
		this.handover.close();
		this.#queue?.close();
		this.#stream.workers.pause();
		this.#saved.close();
	}

	/** The last step, after {@link close} and the end of the session's connection. With `keepSession` everything is saved, else removed. */
	async stop({ keepSession }: { keepSession: boolean }): Promise<void> {
		await this.#saved.finish({ keep: keepSession });
		this.#stream.stop();
	}

	#noteConnection(session: WorkerSession, incarnation: number): void {
		this.#connected.set(session, incarnation);
	}

	#noteDisconnection(session: WorkerSession): void {
		const incarnation = this.#connected.get(session);
		if (incarnation === undefined) return;
		this.#report(session, 'gone');
		this.#connected.delete(session);
		this.#endWait(session);
	}

	#report(session: WorkerSession, status: WorkerConnection['status']): void {
		const incarnation = this.#connected.get(session);
		if (incarnation !== undefined) this.#options.onConnection({ incarnation, status });
	}

	#endWait(session: WorkerSession): void {
		this.#heard.get(session)?.resolve();
		this.#heard.delete(session);
	}

	#leaveVoice(): void {
		for (const request of this.#voice.leaving()) this.#session.request(request);
	}

	#readyOverrides(session: WorkerSession, incarnation: number): RawObject {
		const { shardId, layout, resumeUrl } = this.#options;
		return { session_id: session.id, resume_gateway_url: resumeUrl(incarnation), shard: [shardId, layout.totalShards] };
	}
}
