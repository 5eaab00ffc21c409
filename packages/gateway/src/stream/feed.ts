// The log of one consumer and the consumer's place in it: events enter at one end, go out while the window allows, and leave at the
// other end once they are confirmed. It knows neither who the consumer is nor what becomes of an event that leaves.
import type { Clock } from '@shardctl/core';
import { isExpired } from '../buffer/event-lifetime.js';
import { EventLog, type LogEntry } from '../buffer/event-log.js';
import type { StreamConsumer } from './consumer.js';
import { Positions, type PositionsView } from './positions.js';
import type { ShardStats } from './shard-stats.js';

/** Events in flight; more wait until some are confirmed. */
export const feedWindow = { events: 2048, bytes: 8 * 1024 * 1024 };

export interface FeedOptions {
	clock: Clock;
	stats: ShardStats;
	/** Whether an event may go out while this many are in flight. */
	mayFollow(entry: LogEntry, inFlight: number): boolean;
	/** An event had its turn; `delivered` if it was for the consumer. */
	onSent(entry: LogEntry, delivered: boolean): void;
	/** The consumer has confirmed everything that was sent. */
	onConfirmed(): void;
	/** An event has left the log: it was confirmed, or gave way. */
	onPassed(entry: LogEntry): void;
}

export class Feed {
	readonly log = new EventLog();
	readonly #positions = new Positions();
	readonly #options: FeedOptions;
	/** No event behind this position goes out or leaves. */
	#barrier = Number.POSITIVE_INFINITY;

	constructor(options: FeedOptions) {
		this.#options = options;
	}

	get positions(): PositionsView {
		return this.#positions;
	}

	/** The oldest event, if it may leave. */
	get oldestMovable(): LogEntry | undefined {
		const { oldest } = this.log;
		return oldest && oldest.offset <= this.#barrier ? oldest : undefined;
	}

	get isBlocked(): boolean {
		return this.#barrier !== Number.POSITIVE_INFINITY;
	}

	/** Events behind a position stay until {@link unblock}. */
	block(after: number): void {
		this.#barrier = after;
	}

	unblock(): void {
		this.#barrier = Number.POSITIVE_INFINITY;
	}

	/** Discord has sent everything through this position. */
	arrive(offset: number): void {
		this.#positions.arrive(offset);
	}

	push(entry: LogEntry): void {
		this.log.push(entry);
		// The consumer resumed from further on than Discord had sent again: it has this event.
		if (entry.offset <= this.#positions.sent) this.commit(this.#positions.sent);
	}

	/** Sends what may go out. */
	flow(consumer: StreamConsumer): void {
		const { mayFollow, onSent } = this.#options;
		while (consumer.accepting) {
			const entry = this.log.after(this.#positions.sent);
			if (!entry || entry.offset > this.#barrier || this.#windowIsFull()) return;
			if (!mayFollow(entry, this.#positions.inFlightEvents)) return;
			onSent(entry, this.#send(entry, consumer));
		}
	}

	/** The consumer has confirmed through this position. */
	acknowledge(seq: number): void {
		if (seq <= this.#positions.cursor) return;
		this.commit(Math.min(this.#positions.confirmedBy(seq), this.#positions.sent));
		if (this.#positions.inFlightEvents === 0) this.#options.onConfirmed();
	}

	/** What is in flight needs no confirmation if none of it was for the consumer. Returns whether that moved the cursor. */
	skipFiltered(): boolean {
		if (!this.#positions.isSilent) return false;
		const before = this.#positions.cursor;
		this.commit(this.#positions.sent);
		return this.#positions.cursor > before;
	}

	/** Moves the cursor: the events up to there leave the log. */
	commit(through: number): void {
		for (let entry = this.oldestMovable; entry && entry.offset <= through; entry = this.oldestMovable) this.pass(entry);
		this.#positions.settle(through);
	}

	/** The oldest event leaves the log, sent or not. */
	pass(oldest: LogEntry): void {
		this.log.shift();
		this.#positions.pass(oldest.offset, oldest.event.sizeBytes);
		this.#options.onPassed(oldest);
	}

	/** Everything behind this position is to be sent again. */
	rewind(position: number): void {
		const entries = this.log.between(0, position);
		const bytes = entries.reduce((sum, { event }) => sum + event.sizeBytes, 0);
		this.#positions.rewind(position, { events: entries.length, bytes });
	}

	/**
	 * The consumer is back, and has everything through `seq`. Sends again what was in flight behind that; returns how many events. Without
	 * `sendAgain` they follow when the stream flows again.
	 */
	resume(consumer: StreamConsumer, seq: number, { sendAgain = true }: { sendAgain?: boolean } = {}): number {
		const through = this.#positions.sent;
		this.acknowledge(seq);
		this.rewind(Math.max(seq, this.#positions.cursor));
		const again = sendAgain ? this.log.between(this.#positions.sent, through) : [];
		for (const entry of again) this.#send(entry, consumer);
		this.#positions.resumeAt(seq);
		return again.length;
	}

	/** Continues at a position; the log has nothing from before it. */
	moveTo(position: number): void {
		this.#positions.moveTo(position);
	}

	/** What was sent and is not confirmed. */
	get inFlight(): readonly LogEntry[] {
		return this.log.between(this.#positions.cursor, this.#positions.sent);
	}

	/** The oldest event that has not been sent. */
	get nextToSend(): LogEntry | undefined {
		return this.log.after(this.#positions.sent);
	}

	/** Returns whether the event was for the consumer, and was not too old to be of use. */
	#send(entry: LogEntry, consumer: StreamConsumer): boolean {
		const { clock, stats } = this.#options;
		this.#positions.send(entry.offset, entry.event.sizeBytes);
		if (!consumer.wants(entry)) return false;
		const waitedMs = clock.monotonic() - entry.receivedAtMs;
		stats.noteWait(waitedMs);
		if (!entry.isDeferred && isExpired(entry.event.type, waitedMs)) {
			stats.counters.expired++;
			if (entry.event.type === 'INTERACTION_CREATE') stats.expiredInteractions++;
			return false;
		}
		consumer.deliver(entry);
		this.#positions.deliver();
		stats.counters.delivered++;
		return true;
	}

	#windowIsFull(): boolean {
		return this.#positions.inFlightEvents >= feedWindow.events || this.#positions.inFlightBytes >= feedWindow.bytes;
	}
}
