// The stream of one shard from Discord to its worker. A worker that identifies gets READY and its guilds from the state, then every event
// behind the cursor; the state is at the cursor, so the two always fit. Nothing in here awaits: whatever happens between two turns of
// the event loop happens at once.
//
// It joins parts that each have one concern: the feed (the log, and how far the worker is in it), the workers (who gets the stream, by the
// seat), the probe (asks for confirmation), the bounds (a full log), the session change (Discord has started another one) and the state.
import type { BufferLimits, Clock, Delivery, GatewayNotice, LostEvents, Timer } from '@shardctl/core';
import { type LogEntry, logEntryOf } from '../buffer/event-log.js';
import type { SessionStream, WorkerSession } from '../downstream/worker-session.js';
import type { Dispatch, RawObject } from '../state/raw.js';
import type { ShardState } from '../state/shard-state.js';
import { AbandonedEvents } from './abandoned-events.js';
import { AnswerRoutes } from './answer-routes.js';
import { Bounds } from './bounds.js';
import { ColdGuilds } from './cold-guilds.js';
import { Condition } from './condition.js';
import type { StreamConsumer } from './consumer.js';
import { DeferredState } from './deferred-state.js';
import { Feed, feedWindow } from './feed.js';
import { PoisonSearch } from './poison-search.js';
import { Probe } from './probe.js';
import { SessionChange } from './session-change.js';
import { ShardStats, type StreamStats } from './shard-stats.js';
import { StreamWorkers } from './stream-workers.js';
import { WorkerSeat } from './worker-seat.js';

const sweepMs = 500;

export interface ShardStreamOptions {
	delivery: Delivery;
	buffer: BufferLimits;
	clock: Clock;
	notice(kind: GatewayNotice['kind'], message: string): void;
	/** Ends a worker's session: it must identify again. */
	endSession(session: WorkerSession): void;
	/** Fields of READY that are the local gateway's own. */
	readyOverrides(session: WorkerSession, incarnation: number): RawObject;
	/** The state has applied an event. */
	onApplied(entry: LogEntry, state: ShardState): void;
	/** Gets the events in place of workers. */
	queue?: StreamConsumer;
	/** Asked before each event that goes out (default: always). */
	mayRelease?(): boolean;
	/** An event that killed its worker again and again, for the developer. */
	savePoison(entry: LogEntry): void;
	/** Events were lost since the last call. */
	onLost?(lost: LostEvents): void;
	/** The client of a session has confirmed READY and its guilds. */
	onPresented?(session: WorkerSession): void;
}

export class ShardStream implements SessionStream {
	/** Who gets the stream. */
	readonly workers: StreamWorkers;
	readonly #options: ShardStreamOptions;
	readonly #stats = new ShardStats(sweepMs);
	readonly #answers = new AnswerRoutes();
	readonly #poison = new PoisonSearch();
	readonly #state: DeferredState;
	readonly #feed: Feed;
	readonly #seat: WorkerSeat;
	readonly #probe: Probe;
	readonly #bounds: Bounds;
	readonly #change: SessionChange;
	readonly #coldGuilds: ColdGuilds;
	readonly #ready = new Condition(() => this.#state.peek !== undefined && this.newest >= this.workers.handledThrough);
	readonly #settled = new Condition(() => this.#state.peek !== undefined && !this.#change.isPending);
	#botId = '';
	#sweepTimer: Timer | undefined;

	constructor(options: ShardStreamOptions) {
		const { clock, delivery, buffer: limits, notice } = options;
		const [stats, poison] = [this.#stats, this.#poison];
		this.#options = options;
		const state = new DeferredState((entry, applied) => options.onApplied(entry, applied));
		const seat = new WorkerSeat({ clock, onHoldExpired: () => this.#flow() });
		const feed = new Feed({
			clock,
			stats,
			mayFollow: (entry, inFlight) => this.#mayRelease() && poison.mayFollow(entry, inFlight),
			onSent: (entry, delivered) => this.#probe.noteSent({ delivered, mustConfirm: poison.suspects(entry) }),
			onConfirmed: () => poison.noteConfirmed(),
			onPassed: (entry) => state.take(entry),
		});
		this.#probe = new Probe({
			clock,
			worker: () => seat.consumer,
			standby: () => (seat.standby?.accepting && seat.standby.awaitsHeartbeat ? seat.standby : null),
			isNeeded: () => this.#workerOwesConfirmation(),
		});
		[this.#state, this.#seat, this.#feed] = [state, seat, feed];
		const savePoison = (entry: LogEntry) => options.savePoison(entry);
		const flow = () => this.#flow();
		this.workers = new StreamWorkers({
			...options,
			feed,
			seat,
			state,
			stats,
			flow,
			probe: this.#probe,
			answers: this.#answers,
			abandoned: new AbandonedEvents({ feed, delivery, poison, stats, notice, savePoison }),
		});
		this.#bounds = new Bounds({ feed, limits, clock, stats, notice, onFull: () => this.workers.cutOff() });
		this.#change = new SessionChange({ clock, delivery, feed, seat, state, onComplete: flow });
		this.#coldGuilds = new ColdGuilds(clock, () => state.peek);
		this.#sweep();
	}

	/** The position of the cursor. */
	get state(): ShardState | undefined {
		return this.#state.current;
	}

	get cursor(): number {
		return this.#feed.positions.cursor;
	}

	get newest(): number {
		return this.#feed.positions.newest;
	}

	/** The position of the oldest event that the state has not applied; undefined when it has them all. */
	get oldestOffset(): number | undefined {
		return this.#state.nextOffset ?? this.#feed.log.oldest?.offset;
	}

	/** For saving it undisturbed; see {@link DeferredState.freeze}. */
	get deferredState(): Pick<DeferredState, 'freeze' | 'thaw'> {
		return this.#state;
	}

	/** Its figures and counters. */
	get stats(): StreamStats {
		const [nowMs, state] = [this.#options.clock.monotonic(), this.#state.peek];
		return { worker: this.#seat.status, ...this.#stats.of({ feed: this.#feed, state, nowMs }) };
	}

	/** Of the guilds in the state. */
	get counts(): { guildCount: number; userCount: number } {
		const state = this.#state.peek;
		return { guildCount: state?.guildCount ?? 0, userCount: state?.memberCount ?? 0 };
	}

	/** Resolves when there is a state that a worker can be given. */
	whenReady(): Promise<void> {
		return this.#ready.wait();
	}

	/** Resolves when the state is that of Discord's present session. */
	whenSettled(): Promise<void> {
		return this.#settled.wait();
	}

	/** Whether the state is that of Discord's present session, so that both can be saved together. */
	get isSettled(): boolean {
		return this.#settled.holds;
	}

	/**
	 * Whether every event was confirmed and is in the state, and no other session is on its way. What a worker of an earlier process has is
	 * not known before it resumes.
	 */
	get isQuiet(): boolean {
		const { positions } = this.#feed;
		return this.oldestOffset === undefined && this.#settled.holds && !positions.isAhead && this.#seat.name !== 'restored';
	}

	/** Whether events go out at this moment: to a worker that is connected and ready, or into the queue. */
	get isFlowing(): boolean {
		return this.#options.queue !== undefined || this.#seat.recipient !== null;
	}

	/** Continues with what an earlier process saved. */
	restore(state: ShardState, cursor: number, botId: string): void {
		this.#botId = botId;
		this.#feed.moveTo(cursor);
		this.#feed.arrive(cursor);
		this.#state.adopt(state);
		this.#checkState();
	}

	/** Discord has started a new session, with READY at this position. */
	beginSession(ready: RawObject, offset: number, intents: number): void {
		this.#botId = (ready.user as { id: string }).id;
		this.workers.noteNewSession();
		this.#change.begin(ready, offset, intents);
	}

	/** An event of Discord's, in order. */
	receive(dispatch: Dispatch, offset: number): void {
		// Sent again by Discord after a resume from further back than needed.
		if (offset <= this.newest) return;
		this.#feed.arrive(offset);
		this.#stats.counters.received++;
		this.#ready.check();
		if (this.#change.take(dispatch)) return;
		const keepData = this.#consumer?.accepting === true && this.#feed.log.size < feedWindow.events;
		const receivedAtMs = dispatch.receivedAtMs ?? this.#options.clock.monotonic();
		const entry = logEntryOf(dispatch, { offset, botId: this.#botId, receivedAtMs, keepData });
		this.#options.queue?.noteArrival?.(entry);
		this.#feed.push(entry);
		this.#flow();
		this.#enforceBounds();
	}

	/** The worker has crashed, perhaps because of one of its events. */
	noteCrash(): void {
		this.#poison.noteCrash();
	}

	/** The client of a session reports how far it is. */
	heartbeat(session: WorkerSession, seq: number | null): void {
		const consumer = this.#seat.of(session);
		if (consumer?.heartbeat()) this.#options.onPresented?.(session);
		if (consumer && consumer === this.#seat.consumer) {
			if (seq !== null) {
				consumer.noteConfirmed(Math.min(seq, this.#feed.positions.sent));
				this.#feed.acknowledge(seq);
			}
			// A hand-over waits for its last confirmation, which arrives sooner when it is asked for.
			this.workers.checkDrained({ probe: true });
		}
		this.#flow();
	}

	canResume(session: WorkerSession, seq: number): 'yes' | 'ahead' | 'too old' {
		const { consumer, name } = this.#seat;
		if (consumer?.session !== session) return 'too old';
		if (seq > Math.max(this.#feed.positions.sent, session.seq) && name !== 'restored') return 'ahead';
		return consumer.canResume(seq) ? 'yes' : 'too old';
	}

	resume(session: WorkerSession, seq: number): number {
		const { consumer } = this.#seat;
		if (consumer?.session !== session) return 0;
		this.#seat.resume();
		consumer.resumed(seq);
		return this.#feed.resume(consumer, seq, { sendAgain: this.#mayRelease() });
	}

	/** Everything through this position is in the queue. */
	noteQueued(position: number): void {
		this.#feed.acknowledge(position);
		this.#flow();
	}

	/** Events may be released again. */
	continue(): void {
		this.#flow();
	}

	/** RESUMED went out: the stream continues. */
	resumed(): void {
		this.#stats.counters.workerResumes++;
		this.#flow();
	}

	/** The answer with this nonce is for this session alone. */
	expectAnswer(nonce: string, session: WorkerSession): void {
		this.#answers.expect(nonce, session);
	}

	stop(): void {
		this.#options.clock.clearTimeout(this.#sweepTimer);
		this.#reportLosses();
		this.#probe.stop();
		this.#seat.stop();
		this.#change.cancel();
		this.#coldGuilds.stop();
		this.#state.stop();
	}

	/** Sends what may go out now. The only place from which events go to a worker, but for a resume. */
	#flow(): void {
		this.#seat.continuePresentations();
		do {
			if (this.#change.complete()) this.#checkState();
			const recipient = this.#options.queue ?? this.#seat.recipient;
			if (recipient) this.#feed.flow(recipient);
		} while (this.#consumer?.accepting && this.#feed.skipFiltered());
		this.workers.checkDrained();
		this.#probe.arm();
	}

	#enforceBounds(): void {
		if (!this.#bounds.enforce()) return;
		// A worker is cut off; a queue goes on with the others.
		this.#options.queue?.forget?.(this.#feed.positions.cursor);
		this.#flow();
	}

	get #consumer(): StreamConsumer | null {
		return this.#options.queue ?? this.#seat.consumer;
	}

	#mayRelease(): boolean {
		return this.#options.mayRelease?.() ?? true;
	}

	#checkState(): void {
		this.#ready.check();
		this.#settled.check();
	}

	#workerOwesConfirmation(): boolean {
		const { consumer } = this.#seat;
		return consumer?.accepting === true && (this.#feed.positions.isUnconfirmed || consumer.awaitsHeartbeat);
	}

	#reportLosses(): void {
		const lost = this.#stats.takeLosses();
		if (lost) this.#options.onLost?.(lost);
	}

	#sweep(): void {
		this.#sweepTimer = this.#options.clock.setTimeout(() => {
			this.#stats.sample();
			this.#enforceBounds();
			this.#bounds.report();
			this.#reportLosses();
			this.#sweep();
		}, sweepMs);
	}
}
