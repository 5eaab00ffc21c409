// What is counted and measured of one shard, for stats: counters since the process began, and what the last seconds were like.
import {
	type EventLossReason,
	type GatewayShardCounters,
	type GatewayShardStats,
	gatewayShardCounters,
	type LostEvents,
} from '@shardctl/core';
import type { EventLog, LogEntry } from '../buffer/event-log.js';
import type { ShardState } from '../state/shard-state.js';

/** What the stream knows of a shard. */
export type StreamStats = GatewayShardCounters &
	Pick<
		GatewayShardStats,
		'worker' | 'guildCount' | 'stateBytes' | 'bufferedEvents' | 'bufferedBytes' | 'bufferAgeMs' | 'lagMs' | 'eventsPerSecond'
	>;

/** How many samples of the past count. */
const samples = 20;

export class ShardStats {
	readonly counters = Object.fromEntries(gatewayShardCounters.map((name) => [name, 0])) as Record<
		keyof GatewayShardCounters,
		number
	>;
	/** Interactions among the expired events: an expired TYPING_START is not a loss. */
	expiredInteractions = 0;
	readonly #reported = { 'worker-died': 0, 'buffer-full': 0, expired: 0, poisoned: 0 } satisfies Record<EventLossReason, number>;
	readonly #sampleMs: number;
	/** `received` at each sample, the newest last. */
	readonly #received: number[] = [0];
	/** The longest wait between two samples, the newest last. */
	readonly #waits: number[] = [0];

	/** {@link sample} has to be called this often. */
	constructor(sampleMs: number) {
		this.#sampleMs = sampleMs;
	}

	get eventsPerSecond(): number {
		const sampled = this.#received.length - 1;
		if (sampled === 0) return 0;
		const events = (this.#received.at(-1) as number) - (this.#received[0] as number);
		return Math.round((events * 10_000) / (sampled * this.#sampleMs)) / 10;
	}

	get longestWaitMs(): number {
		return Math.round(Math.max(...this.#waits));
	}

	/** An event waited this long before it went out. */
	noteWait(waitMs: number): void {
		const last = this.#waits.length - 1;
		if (waitMs > (this.#waits[last] as number)) this.#waits[last] = waitMs;
	}

	sample(): void {
		this.#received.push(this.counters.received);
		this.#waits.push(0);
		if (this.#received.length > samples + 1) this.#received.shift();
		if (this.#waits.length > samples) this.#waits.shift();
	}

	/** What was lost since the last call; undefined where that is nothing. */
	takeLosses(): LostEvents | undefined {
		const { lost, overflowed, poisoned } = this.counters;
		const totals = { 'worker-died': lost, 'buffer-full': overflowed, expired: this.expiredInteractions, poisoned };
		const news: LostEvents = {};
		for (const [reason, total] of Object.entries(totals) as [EventLossReason, number][]) {
			if (total > this.#reported[reason]) news[reason] = total - this.#reported[reason];
			this.#reported[reason] = total;
		}
		return Object.keys(news).length === 0 ? undefined : news;
	}

	/** Everything but who holds the stream. */
	of({
		feed,
		state,
		nowMs,
	}: {
		feed: { log: EventLog; nextToSend: LogEntry | undefined };
		state: ShardState | undefined;
		nowMs: number;
	}): Omit<StreamStats, 'worker'> {
		const { oldest, size, bytes } = feed.log;
		const ageMs = (entry: LogEntry | undefined) => (entry ? Math.max(0, Math.round(nowMs - entry.receivedAtMs)) : 0);
		return {
			...this.counters,
			guildCount: state?.guildCount ?? 0,
			stateBytes: state?.bytes ?? 0,
			bufferedEvents: size,
			bufferedBytes: bytes,
			bufferAgeMs: ageMs(oldest),
			lagMs: Math.max(this.longestWaitMs, ageMs(feed.nextToSend)),
			eventsPerSecond: this.eventsPerSecond,
		};
	}
}
