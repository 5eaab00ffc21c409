// The event queue in Redis as a consumer of a shard's stream. How events get into Redis is the writer's affair; this one decides which do, and
// knows which session with Discord each belongs to.
import { subjectOf } from '@shardctl/core';
import type { QueuedEvent, ShardWriter } from '@shardctl/queue';
import { dispatchOf, type LogEntry } from '../buffer/event-log.js';
import { eventsForAll } from '../state/guild-of-event.js';
import type { StreamConsumer } from './consumer.js';

export interface QueueConsumerOptions {
	writer: Pick<ShardWriter, 'accepting' | 'claimAgain' | 'push' | 'flush' | 'stop'> &
		Partial<Pick<ShardWriter, 'failure' | 'forget'>>;
	queue: {
		/** Whether it is known what the groups have subscribed to. */
		readonly isReady: boolean;
		/** Whether any of them has subscribed to a type. */
		wants(type: string): boolean;
		/**
		 * Gives the interaction of an event a deferred response, where the groups ask for it. Undefined where it does not; else a promise of whether
		 * Discord has it. Never rejects.
		 */
		defer?(data: unknown, key: string): Promise<boolean> | undefined;
	};
	/** Whether the shard is the first one of its session (default: it is). */
	isFirst?(): boolean;
}

/** A session with Discord: an event's sequence number is its position minus the base. */
interface Begun {
	readonly session: string;
	readonly base: number;
}

/** Events of older sessions have left the log by then. */
const sessionsKept = 8;

export class QueueConsumer implements StreamConsumer {
	readonly #options: QueueConsumerOptions;
	/** The newest last. */
	readonly #begun: Begun[] = [];
	#closed = false;

	constructor(options: QueueConsumerOptions) {
		this.#options = options;
	}

	get accepting(): boolean {
		const { queue, writer } = this.#options;
		return !this.#closed && this.#begun.length > 0 && queue.isReady && writer.accepting;
	}

	/** Why events are not written now, and since when (epoch ms); null where they are. */
	get failure(): { since: number; error: string } | null {
		return this.#options.writer.failure ?? null;
	}

	/** Events behind this position are of this session. */
	begin(session: string, base: number): void {
		this.#begun.push({ session, base });
		if (this.#begun.length > sessionsKept) this.#begun.shift();
	}

	/** Discord waits for the response to an interaction, also while Redis is away. */
	noteArrival(entry: LogEntry): void {
		const { queue } = this.#options;
		if (entry.event.type !== 'INTERACTION_CREATE' || !queue.defer || this.#closed || this.#begun.length === 0) return;
		const { session, seq } = this.#placeOf(entry);
		const deferred = queue.defer(dispatchOf(entry).d, `${session}:${seq}`);
		if (!deferred) return;
		entry.isDeferred = true;
		const note = (isDeferred: boolean) => {
			entry.isDeferred = isDeferred;
		};
		deferred.then(note, () => note(false));
	}

	/** An event that a session passes on to all of its shards is written once. */
	wants({ event }: LogEntry): boolean {
		const { queue, isFirst } = this.#options;
		return queue.wants(event.type) && (!eventsForAll.has(event.type) || isFirst?.() !== false);
	}

	deliver(entry: LogEntry): void {
		const { session, seq } = this.#placeOf(entry);
		this.#options.writer.push(queuedEvent(entry, session, seq));
	}

	/** The session of an event, and its number there. */
	#placeOf({ offset }: LogEntry): { session: string; seq: number } {
		const { session, base } = this.#begun.findLast((each) => each.base < offset) ?? (this.#begun[0] as Begun);
		return { session, seq: offset - base };
	}

	forget(through: number): void {
		this.#options.writer.forget?.(through);
	}

	/** It confirms what is in the streams without being asked; asked, it writes at once. */
	probe(): boolean {
		this.#options.writer.flush();
		return true;
	}

	/** The owner of the session has a later epoch. */
	claimAgain(): void {
		this.#options.writer.claimAgain();
	}

	/** What is not in the streams yet is the next process's: Discord sends it again. */
	close(): void {
		this.#closed = true;
		this.#options.writer.stop();
	}
}

function queuedEvent(entry: LogEntry, session: string, seq: number): QueuedEvent {
	const { offset, event, guildId, isDeferred = false } = entry;
	return {
		position: offset,
		session,
		seq,
		type: event.type,
		guildId,
		subjectId: guildId === null ? subjectOf(dispatchOf(entry).d) : null,
		isDeferred,
		sizeBytes: event.sizeBytes,
		data: () => event.dataJson,
	};
}
