// The workers of a stream, one after the other: how one gets it, hands it over to the next, and loses it. What a worker is shown first, and
// what becomes of the events in flight when it is gone, is started here; how events flow to it is the stream's affair.
import type { Clock, GatewayNotice } from '@shardctl/core';
import type { WorkerSession } from '../downstream/worker-session.js';
import type { SavedWorker } from '../snapshots/shard-saver.js';
import type { RawObject } from '../state/raw.js';
import type { ShardState } from '../state/shard-state.js';
import type { AbandonedEvents } from './abandoned-events.js';
import type { AnswerRoutes } from './answer-routes.js';
import { Condition } from './condition.js';
import type { DeferredState } from './deferred-state.js';
import type { Feed } from './feed.js';
import { firstEvents, type Presentation } from './presentation.js';
import type { Probe } from './probe.js';
import type { ShardStats } from './shard-stats.js';
import { WorkerConsumer } from './worker-consumer.js';
import type { WorkerSeat } from './worker-seat.js';

export interface StreamWorkersOptions {
	clock: Clock;
	feed: Feed;
	seat: WorkerSeat;
	state: DeferredState;
	probe: Probe;
	answers: AnswerRoutes;
	abandoned: AbandonedEvents;
	stats: ShardStats;
	notice(kind: GatewayNotice['kind'], message: string): void;
	/** Ends a worker's session: it must identify again. */
	endSession(session: WorkerSession): void;
	/** Fields of READY that are the local gateway's own. */
	readyOverrides(session: WorkerSession, incarnation: number): RawObject;
	/** Sends what may go out now. */
	flow(): void;
}

export interface AdmitOptions {
	/** Of the worker's process. */
	incarnation: number;
	/** The stream begins when all shards of the worker are ready: discord.js changes the order of events that arrive before that. */
	hold?: boolean;
	/** Nothing goes out before this is done: a process that took over would know neither the session nor what of READY and guilds it has. */
	save?(): Promise<void>;
}

export class StreamWorkers {
	readonly #options: StreamWorkersOptions;
	readonly #drained = new Condition(() => this.#isDrained());
	readonly #released = new Condition(() => this.#options.seat.name === 'vacant');
	/** How far the worker of an earlier process is known to have got; Discord sends again what lies before. */
	#handledThrough = 0;

	constructor(options: StreamWorkersOptions) {
		this.#options = options;
	}

	get current(): WorkerSession | null {
		return this.#options.seat.consumer?.session ?? null;
	}

	/** The session that has the stream, and the one that is to take over. */
	get sessions(): WorkerSession[] {
		const { consumer, standby } = this.#options.seat;
		return [consumer, standby].flatMap((each) => (each ? [each.session] : []));
	}

	/** Which process of the worker a session belongs to. */
	incarnationOf(session: WorkerSession): number {
		return this.#options.seat.of(session)?.incarnation ?? 0;
	}

	/** The position from which on events are new to every worker. */
	get handledThrough(): number {
		return this.#handledThrough;
	}

	/** For the process after this one; null without a worker. */
	get checkpoint(): SavedWorker | null {
		const { seat, feed } = this.#options;
		if (!seat.consumer) return null;
		const { cursor, sent, isAhead } = feed.positions;
		// By a RESUME a worker also confirms events that Discord is still to send again.
		return { ...seat.consumer.checkpoint, handledThrough: isAhead && seat.name !== 'restored' ? sent : cursor };
	}

	/** Of a worker that is to take over. */
	get successorCheckpoint(): SavedWorker | null {
		const { seat, feed } = this.#options;
		return seat.standby && { ...seat.standby.checkpoint, handledThrough: feed.positions.cursor };
	}

	/** The session of a worker of an earlier process. Its client resumes, or identifies and has everything through `handledThrough`. */
	restore(session: WorkerSession, saved: Omit<SavedWorker, 'sessionId' | 'identify'>, { hold }: { hold: boolean }): void {
		const { feed, seat } = this.#options;
		const consumer = this.#consumer(session, saved.incarnation);
		consumer.restore(saved, feed.positions.cursor);
		this.#handledThrough = saved.handledThrough;
		seat.restore(consumer, { hold });
	}

	/** A worker has identified: it gets READY, its guilds, and the stream from the cursor on. */
	admit(session: WorkerSession, { incarnation, hold = false, save }: AdmitOptions): void {
		const { seat, stats, flow } = this.#options;
		this.end();
		stats.counters.workerIdentifies++;
		const consumer = this.#consumer(session, incarnation);
		seat.admit(consumer, { hold });
		const presentation = this.#present(consumer, { unsaved: save !== undefined });
		// Also where it could not be saved, which is reported: a worker that waits for a disk would never get an event.
		const go = () => {
			presentation.saved();
			flow();
		};
		save?.().then(go, go);
		flow();
	}

	/** All shards of this incarnation of a worker are ready. */
	releaseHold(incarnation: number): void {
		if (this.#options.seat.noteReady(incarnation)) this.#options.flow();
	}

	/** A worker that is to take over gets READY and its guilds, and nothing more yet. */
	presentTo(session: WorkerSession, incarnation: number): void {
		const { seat, stats, flow } = this.#options;
		stats.counters.workerIdentifies++;
		const consumer = this.#consumer(session, incarnation);
		seat.setStandby(consumer);
		this.#present(consumer);
		flow();
	}

	/** The worker that was to take over does: the stream continues to it. */
	promote(): void {
		const { seat, feed, endSession, flow } = this.#options;
		const { standby } = seat;
		const before = standby && this.#vacate();
		seat.promote();
		if (before) endSession(before);
		// Events that overflowed in the meantime are in the state, but were not sent to the new worker.
		if (standby?.isPresented && standby.session.seq !== feed.positions.cursor) this.end();
		flow();
	}

	/** The worker that was to take over is not needed: the stream continues to the present one. */
	dropSuccessor(): void {
		const { seat, endSession, flow } = this.#options;
		const { standby } = seat;
		seat.abandonHandover();
		if (standby) endSession(standby.session);
		flow();
	}

	/** Stops the stream to the worker. */
	pause(): void {
		this.#options.seat.pause();
	}

	/** The stream continues, to the worker that is there or comes next. */
	unpause(): void {
		this.#options.seat.unpause();
		this.#options.flow();
	}

	/** Resolves when the worker has confirmed everything that was sent to it, or is not connected. */
	drained(): Promise<void> {
		if (!this.#drained.holds) this.#options.probe.ask({ now: true });
		return this.#drained.wait();
	}

	/** Resolves when the worker's session is over. */
	released(): Promise<void> {
		return this.#released.wait();
	}

	/** The connection of a session is gone. */
	detached(session: WorkerSession): void {
		if (session === this.current) this.#drained.check();
	}

	/** A session is over for good. */
	ended(session: WorkerSession): void {
		const { seat, flow } = this.#options;
		if (session === seat.standby?.session) seat.removeStandby();
		if (session !== this.current) return;
		this.#vacate();
		flow();
	}

	/** A new session of Discord's has begun. */
	noteNewSession(): void {
		const { seat, feed } = this.#options;
		const { positions } = feed;
		this.#handledThrough = 0;
		// A worker of an earlier process may have events of the lost session that this one never received. What it has is unknown then, and
		// from here on its positions mean other events: it has to identify again.
		if (seat.name === 'restored' || positions.isAhead) this.end();
		if (positions.isAhead) feed.rewind(positions.newest);
	}

	/** A worker that does not read would make the log grow without end: it has to start from the state again. */
	cutOff(): void {
		if (!this.current) return;
		this.#options.notice('worker:slow', 'a worker did not keep up and the buffer is full: it has to identify again');
		this.end();
	}

	/** The worker has to identify again. */
	end(): void {
		const session = this.#vacate();
		if (session) this.#options.endSession(session);
	}

	/** Something was sent or confirmed: a hand-over may wait for it. `probe`: asks for the confirmation that is missing. */
	checkDrained({ probe = false } = {}): void {
		if (probe && this.#drained.isAwaited && !this.#drained.holds) this.#options.probe.ask();
		this.#drained.check();
	}

	#consumer(session: WorkerSession, incarnation: number): WorkerConsumer {
		const { clock, answers } = this.#options;
		return new WorkerConsumer(session, { incarnation, clock, answers });
	}

	#present(consumer: WorkerConsumer, { unsaved = false } = {}): Presentation {
		const { state, feed, readyOverrides } = this.#options;
		const events = firstEvents(state.current as ShardState, readyOverrides(consumer.session, consumer.incarnation));
		return consumer.present({ offset: feed.positions.cursor, events, unsaved });
	}

	/** The worker is gone; what was in flight to it is settled. Returns its session. */
	#vacate(): WorkerSession | null {
		const gone = this.#options.seat.vacate();
		if (!gone) return null;
		this.#options.abandoned.settle({ ...gone, handledThrough: this.#handledThrough });
		this.#released.check();
		this.#drained.check();
		return gone.consumer.session;
	}

	#isDrained(): boolean {
		const { seat, feed } = this.#options;
		const { consumer } = seat;
		return !consumer?.accepting || (!feed.positions.isUnconfirmed && consumer.isPresented);
	}
}
