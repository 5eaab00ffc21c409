// What becomes of the events in flight to a worker that is gone: they are sent to the next one, or they are lost and counted, and one that
// keeps killing its workers is set aside.
import type { Delivery, GatewayNotice } from '@shardctl/core';
import type { LogEntry } from '../buffer/event-log.js';
import { passesIntents } from '../downstream/event-filter.js';
import type { Feed } from './feed.js';
import type { PoisonSearch } from './poison-search.js';
import type { ShardStats } from './shard-stats.js';
import type { WorkerConsumer } from './worker-consumer.js';

export interface AbandonedEventsOptions {
	feed: Feed;
	delivery: Delivery;
	poison: PoisonSearch;
	stats: ShardStats;
	notice(kind: GatewayNotice['kind'], message: string): void;
	savePoison(entry: LogEntry): void;
}

export interface GoneWorker {
	consumer: WorkerConsumer;
	/** It was a worker of an earlier process and never resumed here. */
	wasRestored: boolean;
	/** How far such a worker is known to have got. */
	handledThrough: number;
}

export class AbandonedEvents {
	readonly #options: AbandonedEventsOptions;

	constructor(options: AbandonedEventsOptions) {
		this.#options = options;
	}

	/** Leaves nothing in flight: what is left in the log behind the cursor goes to the next worker. */
	settle({ consumer, wasRestored, handledThrough }: GoneWorker): void {
		const { feed, delivery } = this.#options;
		const { positions } = feed;
		if (wasRestored && handledThrough > positions.sent) {
			feed.rewind(Math.min(handledThrough, positions.newest));
			feed.commit(positions.sent);
		}
		if (consumer.claimed !== null) {
			feed.acknowledge(consumer.claimed);
			feed.rewind(Math.max(consumer.claimed, positions.cursor));
		}
		const inFlight = feed.inFlight.filter((entry) => passesIntents(entry, consumer.session.intents));
		if (delivery === 'at-most-once' || wasRestored) this.#lose(inFlight);
		else this.#repeat(inFlight);
	}

	#lose(inFlight: readonly LogEntry[]): void {
		const { feed, stats, notice } = this.#options;
		feed.commit(feed.positions.sent);
		if (inFlight.length === 0) return;
		stats.counters.lost += inFlight.length;
		notice('events:lost', `${inFlight.length} events lost: their worker died before acknowledging them`);
	}

	#repeat(inFlight: readonly LogEntry[]): void {
		const { feed, poison, stats, notice, savePoison } = this.#options;
		feed.rewind(feed.positions.cursor);
		const poisonous = poison.noteDeath(inFlight);
		if (inFlight.length === 0) return;
		stats.counters.repeated += inFlight.length;
		notice('events:repeated', `${inFlight.length} events are sent again: their worker died before acknowledging them`);
		if (!poisonous) return;
		stats.counters.poisoned++;
		savePoison(poisonous);
		feed.commit(poisonous.offset);
	}
}
