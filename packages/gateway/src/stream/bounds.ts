// Keeps a feed's log within its bounds. What would not be missed leaves a full log first; then the oldest events give way: they update the
// state but are not delivered. Reports both, once for a time in which it happens and not for each event.
import { age, type BufferLimits, type Clock, type GatewayNotice, plural } from '@shardctl/core';
import { makeRoom } from '../buffer/make-room.js';
import { ExpiredSummary } from './expired-summary.js';
import type { Feed } from './feed.js';
import type { ShardStats } from './shard-stats.js';

/** An overflow is over when there was none for this time. */
const overflowQuietMs = 60_000;

export interface BoundsOptions {
	feed: Feed;
	limits: BufferLimits;
	clock: Clock;
	stats: ShardStats;
	notice(kind: GatewayNotice['kind'], message: string): void;
	/** The oldest event is about to give way: a worker that did not keep up must identify again. */
	onFull(): void;
}

export class Bounds {
	readonly #options: BoundsOptions;
	readonly #expired = new ExpiredSummary();
	/** Set while events overflow, and until there was none for a while. */
	#overflow: { beganAtMs: number; lastAtMs: number; countedBefore: number } | undefined;
	/** A full log is not searched again before this position. */
	#searchFrom = 0;

	constructor(options: BoundsOptions) {
		this.#options = options;
	}

	/** Brings the log back within its bounds. Returns whether events gave way. */
	enforce(): boolean {
		const { feed, clock, stats, notice, onFull } = this.#options;
		this.#makeRoom();
		let overflowed = 0;
		for (let oldest = this.#surplus(); oldest; oldest = this.#surplus()) {
			onFull();
			// What its worker had confirmed by then may have been enough.
			if (feed.log.oldest !== oldest) continue;
			feed.pass(oldest);
			overflowed++;
		}
		if (overflowed === 0) return false;
		const nowMs = clock.monotonic();
		if (!this.#overflow) {
			this.#overflow = { beganAtMs: nowMs, lastAtMs: nowMs, countedBefore: stats.counters.overflowed };
			notice('events:overflowed', 'buffer full: the oldest events update the state but are not delivered');
		}
		this.#overflow.lastAtMs = nowMs;
		stats.counters.overflowed += overflowed;
		return true;
	}

	/** To be called now and then: reports events that expired, and the end of an overflow. */
	report(): void {
		const { stats, clock, notice } = this.#options;
		const overflow = this.#overflow;
		if (overflow && clock.monotonic() - overflow.lastAtMs >= overflowQuietMs) {
			this.#overflow = undefined;
			const lasted = age(overflow.lastAtMs - overflow.beganAtMs);
			const overflowed = stats.counters.overflowed - overflow.countedBefore;
			const lost = plural(overflowed, 'event');
			notice(
				'buffer:normal',
				`the buffer has space again: it was full for ${lasted}, and ${lost} ${overflowed === 1 ? 'was' : 'were'} not delivered`,
			);
		}
		const count = this.#expired.due(stats.counters.expired, clock.monotonic());
		if (count > 0) notice('events:expired', `${count} interactions or typing events expired before delivery`);
	}

	/** The oldest event, if the log is too full or the event too old. */
	#surplus() {
		const { feed, limits, clock } = this.#options;
		const oldest = feed.oldestMovable;
		if (!oldest) return undefined;
		const isFull = feed.log.size > limits.events || feed.log.bytes > limits.bytes;
		return isFull || clock.monotonic() - oldest.receivedAtMs > limits.ageMs ? oldest : undefined;
	}

	/** Searches a full log for what would not be missed, and again when an eighth of it is new. */
	#makeRoom(): void {
		const { feed, limits, clock, stats } = this.#options;
		const { newest, sent } = feed.positions;
		const isFull = feed.log.size > limits.events || feed.log.bytes > limits.bytes;
		if (!isFull || feed.isBlocked || newest < this.#searchFrom) return;
		this.#searchFrom = newest + limits.events / 8;
		const { expired, interactions, coalesced } = makeRoom(feed.log, { after: sent, nowMs: clock.monotonic() });
		stats.counters.expired += expired;
		stats.expiredInteractions += interactions;
		stats.counters.coalesced += coalesced;
	}
}
