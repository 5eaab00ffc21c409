// The event queue in Redis as a consumer of a shard's stream. How events get into Redis is the writer's affair; this one decides which do, and
// knows which session with Discord each belongs to.
import { subjectOf } from '@shardctl/core';
import type { QueuedEvent, ShardWriter } from '@shardctl/queue';
import { dispatchOf, type LogEntry } from '../buffer/event-log.js';
import type { StreamConsumer } from './consumer.js';

export interface QueueConsumerOptions {
	writer: Pick<ShardWriter, 'accepting' | 'claimAgain' | 'push' | 'flush' | 'stop'>;
	queue: {
		/** Whether it is known what the groups have subscribed to. */
		readonly isReady: boolean;
		/** Whether any of them has subscribed to a type. */
		wants(type: string): boolean;
	};
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

	/** Events behind this position are of this session. */
	begin(session: string, base: number): void {
		this.#begun.push({ session, base });
		if (this.#begun.length > sessionsKept) this.#begun.shift();
	}

	wants({ event }: LogEntry): boolean {
		return this.#options.queue.wants(event.type);
	}

	deliver(entry: LogEntry): void {
		const { session, base } = this.#begun.findLast((each) => each.base < entry.offset) ?? (this.#begun[0] as Begun);
		this.#options.writer.push(queuedEvent(entry, session, entry.offset - base));
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
	const { offset, event, guildId } = entry;
	return {
		position: offset,
		session,
		seq,
		type: event.type,
		guildId,
		subjectId: guildId === null ? subjectOf(dispatchOf(entry).d) : null,
		sizeBytes: event.sizeBytes,
		data: () => event.dataJson,
	};
}
