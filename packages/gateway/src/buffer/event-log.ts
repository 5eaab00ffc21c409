// The events of one shard in the order in which Discord sent them, from the oldest that the state does not contain to the
// newest. Positions are offsets that only grow; they may have gaps. It decides nothing about what is kept.
import { EncodedDispatch } from '@shardctl/gateway-protocol';
import { guildIdOf } from '../state/guild-of-event.js';
import type { Dispatch } from '../state/raw.js';
import { coalesceKeyOf } from './coalesce-key.js';

/** One event that waits, or is in flight. */
export interface LogEntry {
	readonly offset: number;
	readonly event: EncodedDispatch;
	/** As parsed, while the event is young; read again from {@link event} later, so that a long buffer costs its text only. */
	data: unknown;
	/** The guild that the event belongs to, by which a consumer may partition the stream. Null: it belongs to none. */
	readonly guildId: string | null;
	/** Flows whatever the intents: the bot's own member. */
	readonly ownMember: boolean;
	/** A newer event with the same key replaces it; see `make-room`. */
	readonly coalesceKey: string | undefined;
	readonly receivedAtMs: number;
	/** How often a worker died while only this event was in flight. */
	tries: number;
}

export class EventLog {
	/** Places before `#start` are empty; compacted now and then. */
	#entries: (LogEntry | undefined)[] = [];
	#start = 0;
	#bytes = 0;

	get size(): number {
		return this.#entries.length - this.#start;
	}

	get bytes(): number {
		return this.#bytes;
	}

	get oldest(): LogEntry | undefined {
		return this.#entries[this.#start];
	}

	push(entry: LogEntry): void {
		this.#entries.push(entry);
		this.#bytes += entry.event.sizeBytes;
	}

	/** The first entry behind an offset. */
	after(offset: number): LogEntry | undefined {
		return this.#entries[this.#indexAfter(offset)];
	}

	/** How many entries lie behind one offset and not behind the other. */
	countBetween(after: number, through: number): number {
		return Math.max(0, this.#indexAfter(through) - this.#indexAfter(after));
	}

	/** The entries behind one offset and not behind the other. */
	between(after: number, through: number): readonly LogEntry[] {
		return this.#entries.slice(this.#indexAfter(after), this.#indexAfter(through)) as LogEntry[];
	}

	/** Takes the oldest entry out. */
	shift(): LogEntry | undefined {
		const entry = this.#entries[this.#start];
		if (!entry) return undefined;
		// Not left to the compaction: an event that outlives a garbage collection costs more than all else about it.
		this.#entries[this.#start] = undefined;
		this.#start++;
		this.#bytes -= entry.event.sizeBytes;
		if (this.#start > 1024 && this.#start > this.#entries.length / 2) {
			this.#entries = this.#entries.slice(this.#start);
			this.#start = 0;
		}
		return entry;
	}

	/** Takes entries behind an offset out, the newest being asked about first. */
	removeNewestFirst(after: number, remove: (entry: LogEntry) => boolean): void {
		const from = this.#indexAfter(after);
		const kept: LogEntry[] = [];
		for (let index = this.#entries.length - 1; index >= from; index--) {
			const entry = this.#entries[index] as LogEntry;
			if (remove(entry)) this.#bytes -= entry.event.sizeBytes;
			else kept.push(entry);
		}
		this.#entries.length = from;
		for (let index = kept.length - 1; index >= 0; index--) this.#entries.push(kept[index] as LogEntry);
	}

	#indexAfter(offset: number): number {
		let low = this.#start;
		let high = this.#entries.length;
		while (low < high) {
			const middle = (low + high) >>> 1;
			if ((this.#entries[middle] as LogEntry).offset <= offset) low = middle + 1;
			else high = middle;
		}
		return low;
	}
}

/** The event of an entry, parsed. */
export function dispatchOf(entry: LogEntry): Dispatch {
	entry.data ??= (JSON.parse(entry.event.frame(0)) as { d: unknown }).d;
	return { t: entry.event.type, d: entry.data };
}

/** An event as it enters the log. `keepData`: it leaves again so soon that its parsed data may stay in memory. */
export function logEntryOf(
	{ t, d, text }: Dispatch,
	{ offset, botId, receivedAtMs, keepData }: { offset: number; botId: string; receivedAtMs: number; keepData: boolean },
): LogEntry {
	return {
		offset,
		event: text === undefined ? EncodedDispatch.of(t, d) : EncodedDispatch.fromFrame(text, { t, d }),
		data: keepData ? d : undefined,
		guildId: guildIdOf({ t, d }),
		ownMember: t === 'GUILD_MEMBER_UPDATE' && (d as { user?: { id: string } }).user?.id === botId,
		coalesceKey: coalesceKeyOf({ t, d }, botId),
		receivedAtMs,
		tries: 0,
	};
}
