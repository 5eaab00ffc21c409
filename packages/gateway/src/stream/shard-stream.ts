// The stream of one shard from Discord to its worker. Three positions in one log of events:
//
//   cursor ≤ sent ≤ newest      cursor: the worker has said that it has these; the state stands exactly here, and older events are gone
//                               sent:   on their way; sent again when the connection breaks, at most a window of them
//                               newest: what Discord has sent
//
// A worker that comes new gets READY and its guilds from the state, then everything behind the cursor. Whatever happens between
// two awaits happens at once: there is none in here, so a state and the stream behind it always fit.
import {
	type BufferLimits,
	type Clock,
	type Delivery,
	type GatewayNotice,
	type GatewayShardStats,
	intentBits,
	type Timer,
} from '@shardctl/core';
import { EncodedDispatch } from '@shardctl/gateway-protocol';
import { isExpired } from '../buffer/event-lifetime.js';
import { dispatchOf, EventLog, type LogEntry } from '../buffer/event-log.js';
import { guildIdOf } from '../buffer/guild-of-event.js';
import { coalesceKeyOf, makeRoom } from '../buffer/make-room.js';
import { passesIntents } from '../downstream/event-filter.js';
import type { SessionStream, WorkerSession } from '../downstream/worker-session.js';
import type { Dispatch, RawObject } from '../state/raw.js';
import type { ShardState } from '../state/shard-state.js';
import { AnswerRoutes } from './answer-routes.js';
import { DeferredState } from './deferred-state.js';
import { ExpiredSummary } from './expired-summary.js';
import { PoisonSearch } from './poison-search.js';
import { differences, firstEvents, presentNext } from './presentation.js';
import { RecentFigures } from './recent-figures.js';
import { SessionHydration } from './session-hydration.js';
import { emptyCounters, type ShardCounters } from './shard-counters.js';

/** Events on their way to a worker that has not said that it has them; one more waits. */
const window = { events: 2048, bytes: 8 * 1024 * 1024 };
/** A worker is asked how far it is after so many events, or after this time. */
const probe = { everyEvents: 256, everyMs: 40 };
const sweepMs = 500;
/** A buffer that was not full for so long is told of again when it is. */
const overflowQuietMs = 60_000;
/** Freezing a guild takes half a millisecond, in which nothing else happens: one at a time. */
const compressMs = 15;
/** How long a new worker's stream waits for the word that all of its shards are ready. */
const maxHoldMs = 10_000;

export interface ShardStreamOptions {
	delivery: Delivery;
	buffer: BufferLimits;
	clock: Clock;
	notice(kind: GatewayNotice['kind'], message: string): void;
	/** Ends a worker's session: it must identify anew. */
	endSession(session: WorkerSession): void;
	/** Fields of READY that are the local gateway's own. */
	readyOverrides(session: WorkerSession): RawObject;
	/** The state has taken in an event. */
	onApplied(entry: LogEntry, state: ShardState): void;
	/** An event that killed its worker again and again, for the developer. */
	savePoison(entry: LogEntry): void;
}

export class ShardStream implements SessionStream {
	readonly counters: ShardCounters = emptyCounters();
	readonly #options: ShardStreamOptions;
	readonly #log = new EventLog();
	readonly #recent = new RecentFigures(sweepMs);
	readonly #expired = new ExpiredSummary();
	readonly #state: DeferredState;
	#hydration: SessionHydration | null = null;
	#cursor = 0;
	#sent = 0;
	#newest = 0;
	/** Position of the last event that the worker really got; what lies between it and `sent` was not for it. */
	#delivered = 0;
	#inFlight = { events: 0, bytes: 0 };
	#sinceProbe = 0;
	#worker: WorkerSession | null = null;
	#successor: WorkerSession | null = null;
	#paused = false;
	/** The worker is new, and not all of its shards are ready. */
	#held = false;
	#holdTimer: Timer | undefined;
	/** The newest incarnation that was ready: one that identifies again is not held. */
	#readyIncarnation = 0;
	/** How far the worker of an earlier process is known to have come; Discord sends again what lies before. */
	#handledThrough = 0;
	#probeTimer: Timer | undefined;
	#sweepTimer: Timer | undefined;
	#compressTimer: Timer | undefined;
	#botId = '';
	#overflowedAt = Number.NEGATIVE_INFINITY;
	/** A full buffer is not looked through before this position. */
	#makeRoomFrom = 0;
	readonly #answers = new AnswerRoutes();
	readonly #poison = new PoisonSearch();
	readonly #waiting: (() => void)[] = [];
	readonly #settling: (() => void)[] = [];
	readonly #drainWaiters: (() => void)[] = [];
	readonly #releaseWaiters: (() => void)[] = [];

	constructor(options: ShardStreamOptions) {
		this.#options = options;
		this.#state = new DeferredState((entry, state) => options.onApplied(entry, state));
		this.#sweep();
		this.#compressCold();
	}

	/** Where the cursor stands. */
	get state(): ShardState | undefined {
		return this.#state.current;
	}

	get cursor(): number {
		return this.#cursor;
	}

	/** Through here the worker has said that it has everything: by a RESUME also events that Discord is still to send again. */
	get confirmed(): number {
		return this.#worker && !this.#worker.restored && this.#sent > this.#newest ? this.#sent : this.#cursor;
	}

	get newest(): number {
		return this.#newest;
	}

	/** The position of the oldest event that the state has not taken in; undefined when it has them all. */
	get oldestOffset(): number | undefined {
		return this.#state.nextOffset ?? this.#log.oldest?.offset;
	}

	/** For saving it in peace; see {@link DeferredState.freeze}. */
	get deferredState(): Pick<DeferredState, 'freeze' | 'thaw'> {
		return this.#state;
	}

	get successor(): WorkerSession | null {
		return this.#successor;
	}

	get worker(): WorkerSession | null {
		return this.#worker;
	}

	get figures(): Pick<
		GatewayShardStats,
		'guildCount' | 'stateBytes' | 'bufferedEvents' | 'bufferedBytes' | 'bufferAgeMs' | 'lagMs' | 'eventsPerSecond'
	> {
		const { oldest, size, bytes } = this.#log;
		const state = this.#state.peek;
		const ageMs = (entry: LogEntry | undefined) => (entry ? Math.max(0, Math.round(this.#nowMs() - entry.receivedAtMs)) : 0);
		return {
			guildCount: state?.guildCount ?? 0,
			stateBytes: state?.bytes ?? 0,
			bufferedEvents: size,
			bufferedBytes: bytes,
			bufferAgeMs: ageMs(oldest),
			lagMs: Math.max(this.#recent.longestWaitMs, ageMs(this.#log.after(this.#sent))),
			eventsPerSecond: this.#recent.eventsPerSecond,
		};
	}

	get workerStatus(): 'none' | 'connected' | 'away' | 'paused' {
		if (!this.#worker) return 'none';
		if (!this.#worker.connected) return 'away';
		return this.#paused ? 'paused' : 'connected';
	}

	/** Resolves when there is a state that a worker can be given. */
	whenReady(): Promise<void> {
		if (this.#isReady()) return Promise.resolve();
		return new Promise((resolve) => this.#waiting.push(resolve));
	}

	/** Resolves when the state is that of Discord's present session. */
	whenSettled(): Promise<void> {
		if (this.isSettled) return Promise.resolve();
		return new Promise((resolve) => this.#settling.push(resolve));
	}

	/** Takes over what an earlier process saved. */
	restore(state: ShardState, cursor: number, botId: string): void {
		this.#botId = botId;
		this.#moveTo(cursor);
		this.#newest = cursor;
		this.#adoptState(state);
	}

	/**
	 * The session of a worker that an earlier process had; its client comes back and resumes. Where it identifies anew instead, it
	 * is known to have everything through `handledThrough`.
	 */
	restoreWorker(session: WorkerSession, handledThrough = this.#cursor): void {
		session.restored = true;
		this.#handledThrough = handledThrough;
		this.#readyIncarnation = session.incarnation;
		session.setPosition(this.#cursor);
		this.#worker = session;
	}

	/** Whether the state is that of Discord's present session, so that both can be saved together. */
	get isSettled(): boolean {
		return this.#state.peek !== undefined && this.#hydration === null;
	}

	/** A new session of Discord's has begun, with READY at this position. */
	beginSession(ready: RawObject, offset: number, intents: number): void {
		this.#hydration?.cancel();
		this.#botId = (ready.user as { id: string }).id;
		this.#handledThrough = 0;
		this.#dropUnknown();
		this.#newest = offset;
		this.#hydration = new SessionHydration({
			ready,
			offset,
			expectGuilds: (intents & intentBits.GUILDS) !== 0,
			clock: this.#options.clock,
			onComplete: () => this.#flow(),
		});
	}

	/**
	 * A worker of an earlier process may have events of the lost session that this one never heard of. Then nobody knows what it has,
	 * and its positions are given to other events from here on: it has to identify anew.
	 */
	#dropUnknown(): void {
		const worker = this.#worker;
		if (!worker || (!worker.restored && this.#sent <= this.#newest)) return;
		this.#worker = null;
		this.#abandonInFlight(worker);
		this.#options.endSession(worker);
		if (this.#sent > this.#newest) this.#rewind(this.#newest);
	}

	/** An event of Discord's, in order. */
	receive({ t, d, text, repeated }: Dispatch, offset: number): void {
		// Sent again by Discord after a resume from further back than needed.
		if (offset <= this.#newest) return;
		this.#newest = offset;
		this.counters.received++;
		if (this.#waiting.length > 0) this.#settleReady();
		if (this.#hydration?.take({ t, d })) return;
		if (repeated && this.#hydration) {
			this.#hydration.state.apply({ t, d });
			return;
		}
		const data = d as { user?: { id: string } };
		this.#log.push({
			offset,
			event: text === undefined ? EncodedDispatch.of(t, d) : EncodedDispatch.fromFrame(text, { t, d }),
			data: this.#worker?.connected && this.#log.size < window.events ? d : undefined,
			guildId: guildIdOf({ t, d }),
			ownMember: t === 'GUILD_MEMBER_UPDATE' && data.user?.id === this.#botId,
			coalesceKey: coalesceKeyOf({ t, d }, this.#botId),
			receivedAtMs: this.#nowMs(),
			tries: 0,
		});
		if (offset <= this.#sent) {
			// A worker that resumed after a restart of this process has it already.
			this.#commit(this.#sent);
			return;
		}
		this.#flow();
		this.#enforceBounds();
	}

	/**
	 * A worker has identified: it gets READY, its guilds, and the stream from the cursor on. With `hold` the stream begins when
	 * the worker is {@link releaseHold}: discord.js changes the order of events that come before all of its shards are ready. With `save`
	 * nothing goes out before that is done: a process that took over would otherwise know neither the session nor that it has READY
	 * and not its guilds.
	 */
	admit(session: WorkerSession, { hold = false, save }: { hold?: boolean; save?: () => Promise<void> } = {}): void {
		const before = this.#worker;
		if (before && before !== session) {
			this.#abandonInFlight(before);
			this.#options.endSession(before);
		}
		this.#worker = session;
		this.#hold(hold && session.incarnation > this.#readyIncarnation);
		this.#present(session);
		if (save) {
			session.unsaved = true;
			void save().then(() => {
				session.unsaved = false;
				this.#flow();
			});
		}
		this.#flow();
	}

	/** All shards of this incarnation of a worker are ready. */
	releaseHold(incarnation: number): void {
		this.#readyIncarnation = Math.max(this.#readyIncarnation, incarnation);
		if (this.#worker?.incarnation !== incarnation) return;
		this.#hold(false);
		this.#flow();
	}

	/** The worker has crashed, so it was perhaps one of its events. */
	noteCrash(): void {
		this.#poison.noteCrash();
	}

	/** A worker that is to take over gets READY and its guilds, and nothing more yet. */
	presentTo(session: WorkerSession): void {
		this.#successor = session;
		this.#present(session);
		this.#flow();
	}

	/** The stream goes on to the successor. */
	promote(): void {
		const successor = this.#successor;
		this.#successor = null;
		this.#paused = false;
		if (successor) {
			this.#hold(false);
			const before = this.#worker;
			this.#worker = successor;
			if (before && before !== successor) {
				this.#abandonInFlight(before);
				this.#options.endSession(before);
			}
			// What overflowed meanwhile is in the state, but not in what the successor was shown.
			if (successor.seq !== this.#cursor && !successor.presentation) this.#restart(successor);
		}
		this.#flow();
	}

	dropSuccessor(): void {
		const successor = this.#successor;
		this.#successor = null;
		this.#paused = false;
		if (successor) this.#options.endSession(successor);
		this.#flow();
	}

	/** Stops the stream to the worker. */
	pause(): void {
		this.#paused = true;
	}

	/** Resolves when the worker has everything that was sent to it, or is not there to say so. */
	drained(): Promise<void> {
		if (this.#isDrained()) return Promise.resolve();
		this.#sendProbe({ now: true });
		return new Promise((resolve) => this.#drainWaiters.push(resolve));
	}

	/** Resolves when the worker's session is over. */
	released(): Promise<void> {
		if (!this.#worker) return Promise.resolve();
		return new Promise((resolve) => this.#releaseWaiters.push(resolve));
	}

	/** The client of a session says how far it has come. */
	heartbeat(session: WorkerSession, seq: number | null): void {
		if (session.beatsAwaited > 0) {
			session.beatsAwaited--;
			if (session.beatsAwaited === 0 && !session.presentation) session.unconfirmedAt = null;
		}
		if (session === this.#worker && seq !== null) {
			session.resumableFrom = Math.max(session.resumableFrom, Math.min(seq, this.#sent));
			this.#acknowledge(seq);
		}
		// Somebody waits for its last word; it comes sooner when asked for.
		if (session === this.#worker && this.#drainWaiters.length > 0 && !this.#isDrained()) this.#sendProbe();
		this.#flow();
	}

	canResume(session: WorkerSession, seq: number): 'yes' | 'ahead' | 'too old' {
		if (session === this.#successor) return 'too old';
		if (session !== this.#worker || seq < session.resumableFrom) return 'too old';
		if (seq > Math.max(this.#sent, session.seq) && !session.restored) return 'ahead';
		if (seq !== session.unconfirmedAt && !session.presentation) return 'yes';
		// It has to begin anew, but what it does not have is not lost.
		session.claimed = seq;
		return 'too old';
	}

	resume(session: WorkerSession, seq: number): number {
		session.restored = false;
		session.resumableFrom = seq;
		session.setPosition(Math.max(seq, session.seq));
		const through = this.#sent;
		this.#acknowledge(seq);
		this.#rewind(Math.max(seq, this.#cursor));
		const again = this.#log.between(this.#sent, through);
		for (const entry of again) this.#deliver(session, entry);
		if (seq > this.#sent) {
			this.#sent = seq;
			this.#delivered = seq;
		}
		return again.length;
	}

	/** RESUMED went out: the stream goes on. */
	resumed(): void {
		this.#flow();
	}

	detached(session: WorkerSession): void {
		if (session === this.#worker) this.#settleDrain();
	}

	/** A session is over for good. */
	ended(session: WorkerSession): void {
		if (session === this.#successor) this.#successor = null;
		if (session !== this.#worker) return;
		this.#abandonInFlight(session);
		this.#worker = null;
		for (const resolve of this.#releaseWaiters.splice(0)) resolve();
		this.#settleDrain();
		this.#flow();
	}

	/** The answer with this nonce is for this session alone. */
	expectAnswer(nonce: string, session: WorkerSession): void {
		this.#answers.expect(nonce, session);
	}

	stop(): void {
		const { clock } = this.#options;
		clock.clearTimeout(this.#probeTimer);
		clock.clearTimeout(this.#sweepTimer);
		clock.clearTimeout(this.#compressTimer);
		clock.clearTimeout(this.#holdTimer);
		this.#hydration?.cancel();
		this.#state.stop();
	}

	/** A worker whose readiness nobody tells gets its events all the same, a little later. */
	#hold(hold: boolean): void {
		const { clock } = this.#options;
		clock.clearTimeout(this.#holdTimer);
		this.#held = hold;
		if (!hold) return;
		this.#holdTimer = clock.setTimeout(() => {
			this.#held = false;
			this.#flow();
		}, maxHoldMs);
	}

	/** Sends whatever may go out now. The only place from which events go to a worker, but for a resume. */
	#flow(): void {
		if (this.#successor) this.#continuePresentation(this.#successor);
		const worker = this.#worker;
		if (worker) this.#continuePresentation(worker);
		do this.#sendTo(worker);
		while (this.#skipFiltered(worker));
		this.#settleDrain();
		this.#armProbe();
	}

	#sendTo(worker: WorkerSession | null): void {
		for (;;) {
			this.#adoptHydration();
			if (!worker?.connected || worker !== this.#worker || this.#paused || this.#held || worker.presentation) return;
			const entry = this.#log.after(this.#sent);
			if (!entry || (this.#hydration && entry.offset > this.#hydration.offset)) return;
			if (this.#windowIsFull() || !this.#poison.mayFollow(entry, this.#inFlight.events)) return;
			this.#deliver(worker, entry);
			if (this.#sinceProbe >= probe.everyEvents || this.#poison.suspects(entry)) this.#sendProbe();
		}
	}

	/** What was sent and was not for this worker needs no word of it. Answers whether there was any. */
	#skipFiltered(worker: WorkerSession | null): boolean {
		if (!worker?.connected || this.#delivered > this.#cursor || this.#sent <= this.#cursor) return false;
		const before = this.#cursor;
		this.#commit(this.#sent);
		return this.#cursor > before;
	}

	#deliver(session: WorkerSession, entry: LogEntry): void {
		this.#sent = entry.offset;
		this.#inFlight.events++;
		this.#inFlight.bytes += entry.event.sizeBytes;
		if (!passesIntents(entry, session.intents) || !this.#isFor(session, entry)) return;
		const waitedMs = this.#nowMs() - entry.receivedAtMs;
		this.#recent.noteWait(waitedMs);
		if (isExpired(entry.event.type, waitedMs)) {
			this.counters.expired++;
			return;
		}
		session.sendAt(entry.offset, entry.event);
		this.#delivered = entry.offset;
		this.#sinceProbe++;
		this.counters.delivered++;
	}

	/** Answers to one session's request do not go to another's. */
	#isFor(session: WorkerSession, entry: LogEntry): boolean {
		if (entry.event.type !== 'GUILD_MEMBERS_CHUNK') return true;
		return this.#answers.leadsTo(session, (dispatchOf(entry).d as { nonce?: string }).nonce);
	}

	#windowIsFull(): boolean {
		return this.#inFlight.events >= window.events || this.#inFlight.bytes >= window.bytes;
	}

	#acknowledge(seq: number): void {
		if (seq <= this.#cursor) return;
		this.#commit(seq >= this.#delivered ? this.#sent : Math.min(seq, this.#sent));
		if (this.#inFlight.events === 0) this.#poison.noteConfirmed();
	}

	/** Moves the cursor: the state takes the events in, and the log lets them go. */
	#commit(through: number): void {
		for (;;) {
			const { oldest } = this.#log;
			if (!oldest || oldest.offset > through || (this.#hydration && oldest.offset > this.#hydration.offset)) break;
			this.#apply(oldest);
		}
		this.#cursor = Math.max(this.#cursor, Math.min(through, this.#newest));
	}

	#apply(entry: LogEntry): void {
		this.#log.shift();
		this.#state.take(entry);
		this.#cursor = entry.offset;
		if (entry.offset > this.#sent) return;
		this.#inFlight.events = Math.max(0, this.#inFlight.events - 1);
		this.#inFlight.bytes = Math.max(0, this.#inFlight.bytes - entry.event.sizeBytes);
	}

	/** What was sent behind this position counts as not sent. */
	#rewind(position: number): void {
		this.#sent = position;
		this.#delivered = Math.min(this.#delivered, position);
		this.#inFlight = { events: this.#log.countBetween(0, position), bytes: 0 };
	}

	#moveTo(position: number): void {
		this.#cursor = position;
		this.#sent = position;
		this.#delivered = position;
		this.#inFlight = { events: 0, bytes: 0 };
	}

	/** A worker is gone. What it had in its hands is lost and counted, or goes to the next one. */
	#abandonInFlight(session: WorkerSession): void {
		if (session.restored && this.#handledThrough > this.#sent) {
			this.#rewind(Math.min(this.#handledThrough, this.#newest));
			this.#commit(this.#sent);
		}
		if (session.claimed !== null) {
			this.#acknowledge(session.claimed);
			this.#rewind(Math.max(session.claimed, this.#cursor));
		}
		const inFlight = this.#log.between(this.#cursor, this.#sent).filter((entry) => passesIntents(entry, session.intents));
		if (this.#options.delivery === 'at-most-once' || session.restored) {
			this.#commit(this.#sent);
			if (inFlight.length === 0) return;
			this.counters.lost += inFlight.length;
			this.#options.notice('events:lost', `${inFlight.length} events were in the hands of a worker that is gone`);
			return;
		}
		this.#rewind(this.#cursor);
		const poison = this.#poison.noteDeath(inFlight);
		if (inFlight.length === 0) return;
		this.counters.repeated += inFlight.length;
		this.#options.notice('events:repeated', `${inFlight.length} events that a worker did not confirm are sent again`);
		if (!poison) return;
		this.counters.poisoned++;
		this.#options.savePoison(poison);
		this.#commit(poison.offset);
		this.#rewind(this.#cursor);
	}

	#present(session: WorkerSession): void {
		const state = this.#state.current as ShardState;
		session.presentation = { offset: this.#cursor, events: firstEvents(state, this.#options.readyOverrides(session)) };
		session.unconfirmedAt = this.#cursor;
		session.resumableFrom = this.#cursor;
	}

	#continuePresentation(session: WorkerSession): void {
		if (presentNext(session)) session.ask(this.#nowMs(), { now: true });
	}

	/** Makes the state of a new session of Discord's the present one, once everything before it is with the worker. */
	#adoptHydration(): void {
		const hydration = this.#hydration;
		if (!hydration?.complete) return;
		const worker = this.#worker;
		if (!worker && this.#options.delivery === 'at-most-once') this.#commit(this.#sent);
		if (worker && !this.#log.oldest && this.#sent < hydration.offset) this.#commit(this.#sent);
		// Events of a session that never came to a state belong to nothing.
		while (!this.#state.peek && this.#log.oldest && this.#log.oldest.offset < hydration.offset) this.#log.shift();
		const { oldest } = this.#log;
		if (oldest && oldest.offset < hydration.offset) return;
		if (worker?.presentation) return;
		const before = this.#state.current;
		this.#hydration = null;
		// The guilds came behind READY and are in the state: it stands before the next event that is none of them.
		const position = oldest ? oldest.offset - 1 : this.#newest;
		this.#moveTo(position);
		const changes = worker && before ? differences(before, hydration.state, worker.intents) : [];
		if (worker && changes.length > 0) {
			worker.presentation = { offset: position, events: changes.values() };
			worker.unconfirmedAt = position;
			worker.resumableFrom = position;
			worker.beatsAwaited = 0;
		}
		this.#adoptState(hydration.state);
		if (worker) this.#continuePresentation(worker);
	}

	#adoptState(state: ShardState): void {
		this.#state.adopt(state);
		this.#settleReady();
		if (this.isSettled) for (const resolve of this.#settling.splice(0)) resolve();
	}

	#isReady(): boolean {
		return this.#state.peek !== undefined && this.#newest >= this.#handledThrough;
	}

	#settleReady(): void {
		if (this.#isReady()) for (const resolve of this.#waiting.splice(0)) resolve();
	}

	/** What nobody would miss leaves a full buffer first. Looked for again when an eighth of it is new. */
	#makeRoom(): void {
		const { buffer } = this.#options;
		const isFull = this.#log.size > buffer.events || this.#log.bytes > buffer.bytes;
		if (!isFull || this.#hydration || this.#newest < this.#makeRoomFrom) return;
		this.#makeRoomFrom = this.#newest + buffer.events / 8;
		const { expired, coalesced } = makeRoom(this.#log, { after: this.#sent, nowMs: this.#nowMs() });
		this.counters.expired += expired;
		this.counters.coalesced += coalesced;
	}

	/** Folds the oldest events into the state while the buffer is too full or they are too old. */
	#enforceBounds(): void {
		const { buffer } = this.#options;
		this.#makeRoom();
		let folded = 0;
		for (;;) {
			const { oldest, size, bytes } = this.#log;
			if (!oldest || (this.#hydration && oldest.offset > this.#hydration.offset)) break;
			const tooOld = this.#nowMs() - oldest.receivedAtMs > buffer.ageMs;
			if (size <= buffer.events && bytes <= buffer.bytes && !tooOld) break;
			if (this.#worker) this.#cutOff(this.#worker);
			if (this.#log.oldest !== oldest) continue;
			this.#apply(oldest);
			this.#sent = Math.max(this.#sent, this.#cursor);
			folded++;
		}
		if (folded === 0) return;
		if (this.#nowMs() - this.#overflowedAt >= overflowQuietMs) {
			this.#options.notice('events:overflowed', 'the buffer is full: the oldest events go into the state and reach no worker');
		}
		this.#overflowedAt = this.#nowMs();
		this.counters.overflowed += folded;
		this.#flow();
	}

	/** A worker that does not read would make the buffer grow without end: it has to start from the state again. */
	#cutOff(session: WorkerSession): void {
		this.#options.notice('worker:slow', 'a worker did not keep up with the buffer and has to identify anew');
		this.#worker = null;
		this.#abandonInFlight(session);
		this.#options.endSession(session);
	}

	#restart(session: WorkerSession): void {
		this.#worker = null;
		this.#options.endSession(session);
	}

	#isDrained(): boolean {
		return !this.#worker?.connected || (this.#sent <= this.#cursor && !this.#worker.presentation);
	}

	#settleDrain(): void {
		if (this.#drainWaiters.length > 0 && this.#isDrained()) for (const resolve of this.#drainWaiters.splice(0)) resolve();
	}

	#sendProbe(options?: { now: boolean }): void {
		if (this.#worker?.ask(this.#nowMs(), options)) this.#sinceProbe = 0;
	}

	/** Asks again and again while some word of the worker is missing. */
	#armProbe(): void {
		if (this.#probeTimer !== undefined || !this.#probeIsNeeded()) return;
		this.#probeTimer = this.#options.clock.setTimeout(() => {
			this.#probeTimer = undefined;
			if (!this.#probeIsNeeded()) return;
			this.#sendProbe();
			if (this.#successor && this.#successor.beatsAwaited > 0) this.#successor.ask(this.#nowMs());
			this.#armProbe();
		}, probe.everyMs);
	}

	#probeIsNeeded(): boolean {
		const worker = this.#worker;
		if (this.#successor?.connected && this.#successor.beatsAwaited > 0) return true;
		return worker?.connected === true && (this.#sent > this.#cursor || worker.beatsAwaited > 0);
	}

	#sweep(): void {
		this.#sweepTimer = this.#options.clock.setTimeout(() => {
			this.#recent.sample(this.counters.received);
			this.#enforceBounds();
			this.#reportExpired();
			this.#sweep();
		}, sweepMs);
	}

	#reportExpired(): void {
		const count = this.#expired.due(this.counters.expired, this.#nowMs());
		if (count === 0) return;
		const message = `${count} interactions or typing signs were too old to be of use by the time a worker could take them: left out`;
		this.#options.notice('events:expired', message);
	}

	#compressCold(): void {
		const { clock } = this.#options;
		const frozen = this.#state.peek?.compressCold(clock.now()) ?? 0;
		this.#compressTimer = clock.setTimeout(() => this.#compressCold(), frozen > 0 ? compressMs : sweepMs);
	}

	#nowMs(): number {
		return this.#options.clock.monotonic();
	}
}
