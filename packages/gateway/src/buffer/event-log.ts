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
	/** An interaction that gets a deferred response, after which it is of use for much longer. */
	isDeferred?: boolean;
	/** How often a worker died while only this event was in flight. */
	tries: number;
}

const fewestPlaces = 64;
/** A larger ring is given up once it is empty. */
const mostKeptPlaces = 4096;

/**
 * A ring, whose places are used again. A list that is cut off in front now and then leaves a dead one behind each time, and V8 keeps what a dead
 * list of its old generation refers to until it collects that as a whole.
 */
export class EventLog {
	/** Its length is a power of two. Places without an event are empty. */
	#ring = emptyRing(fewestPlaces);
	/** The place of the oldest. */
	#start = 0;
	#size = 0;
	#bytes = 0;

	get size(): number {
		return this.#size;
	}

	get bytes(): number {
		return this.#bytes;
	}

	get oldest(): LogEntry | undefined {
		return this.#ring[this.#start];
	}

	push(entry: LogEntry): void {
		if (this.#size === this.#ring.length) this.#grow();
		this.#ring[this.#placeOf(this.#size++)] = entry;
		this.#bytes += entry.event.sizeBytes;
	}

	/** The first entry behind an offset. */
	after(offset: number): LogEntry | undefined {
		const index = this.#indexAfter(offset);
		return index < this.#size ? this.#at(index) : undefined;
	}

	/** How many entries lie behind one offset and not behind the other. */
	countBetween(after: number, through: number): number {
		return Math.max(0, this.#indexAfter(through) - this.#indexAfter(after));
	}

	/** The entries behind one offset and not behind the other. */
	between(after: number, through: number): readonly LogEntry[] {
		const entries: LogEntry[] = [];
		const end = this.#indexAfter(through);
		for (let index = this.#indexAfter(after); index < end; index++) entries.push(this.#at(index));
		return entries;
	}

	/** Takes the oldest entry out. */
	shift(): LogEntry | undefined {
		const entry = this.#ring[this.#start];
		if (!entry) return undefined;
		this.#ring[this.#start] = undefined;
		this.#start = this.#placeOf(1);
		this.#size--;
		this.#bytes -= entry.event.sizeBytes;
		if (this.#size === 0 && this.#ring.length > mostKeptPlaces) {
			this.#ring = emptyRing(fewestPlaces);
			this.#start = 0;
		}
		return entry;
	}

	/** Takes entries behind an offset out, the newest being asked about first. */
	removeNewestFirst(after: number, remove: (entry: LogEntry) => boolean): void {
		const from = this.#indexAfter(after);
		const kept: LogEntry[] = [];
		for (let index = this.#size - 1; index >= from; index--) {
			const entry = this.#at(index);
			this.#ring[this.#placeOf(index)] = undefined;
			if (remove(entry)) this.#bytes -= entry.event.sizeBytes;
			else kept.push(entry);
		}
		this.#size = from;
		for (const entry of kept.reverse()) this.#ring[this.#placeOf(this.#size++)] = entry;
	}

	#placeOf(index: number): number {
		return (this.#start + index) & (this.#ring.length - 1);
	}

	#at(index: number): LogEntry {
		return this.#ring[this.#placeOf(index)] as LogEntry;
	}

	#grow(): void {
		const former = this.#ring;
		const ring = emptyRing(2 * former.length);
		for (let index = 0; index < this.#size; index++) ring[index] = this.#at(index);
		former.fill(undefined);
		this.#ring = ring;
		this.#start = 0;
	}

	#indexAfter(offset: number): number {
		let low = 0;
		let high = this.#size;
		// Mostly it is asked whether there is anything new, and the newest is all that is.
		if (high === 0 || this.#at(high - 1).offset <= offset) return high;
		if (high === 1 || this.#at(high - 2).offset <= offset) return high - 1;
		while (low < high) {
			const middle = (low + high) >>> 1;
			if (this.#at(middle).offset <= offset) low = middle + 1;
			else high = middle;
		}
		return low;
	}
}

function emptyRing(places: number): (LogEntry | undefined)[] {
	return Array.from({ length: places }, () => undefined);
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
