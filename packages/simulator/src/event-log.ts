// What happened, for people and tests to ask about afterwards: a bounded record of connections, identifies, resumes, closes,
// violations, faults and REST calls. It holds no token.
import type { Clock } from '@shardctl/core';

export type LogType =
	| 'connection'
	| 'identify'
	| 'resume'
	| 'close'
	| 'invalid-session'
	| 'reconnect'
	| 'session-end'
	| 'violation'
	| 'rest'
	| 'unknown-route'
	| 'fault'
	| 'interaction'
	| 'refused';

export interface LogEntry {
	/** Counts up by one; ask for what came after it with `after`. */
	number: number;
	type: LogType;
	/** Wall time, ms since the epoch. */
	at: number;
	/** Monotonic time in ms, for spacing and order. */
	monotonicMs: number;
	connectionId?: number;
	shardId?: number;
	[detail: string]: unknown;
}

export interface LogFilter {
	type?: LogType | readonly LogType[];
	shardId?: number;
	connectionId?: number;
	/** Entries with a greater number. */
	after?: number;
	/** The newest this many. */
	limit?: number;
}

export class EventLog {
	readonly #clock: Clock;
	readonly #capacity: number;
	#entries: LogEntry[] = [];
	#next = 1;
	/** How many entries fell out at the old end. */
	#dropped = 0;

	constructor(clock: Clock, capacity: number) {
		this.#clock = clock;
		this.#capacity = capacity;
	}

	get dropped(): number {
		return this.#dropped;
	}

	add(type: LogType, details: Record<string, unknown>): LogEntry {
		const entry: LogEntry = {
			number: this.#next++,
			type,
			at: this.#clock.now(),
			monotonicMs: this.#clock.monotonic(),
			...details,
		};
		this.#entries.push(entry);
		// Cut a tenth at a time, so that a full log costs no shift per entry.
		if (this.#entries.length > this.#capacity * 1.1) {
			const surplus = this.#entries.length - this.#capacity;
			this.#entries = this.#entries.slice(surplus);
			this.#dropped += surplus;
		}
		return entry;
	}

	/** The entries that match, oldest first. */
	entries({ type, shardId, connectionId, after = 0, limit }: LogFilter = {}): LogEntry[] {
		const types = type === undefined ? undefined : new Set(typeof type === 'string' ? [type] : type);
		const found = this.#entries.filter(
			(entry) =>
				entry.number > after &&
				(!types || types.has(entry.type)) &&
				(shardId === undefined || entry.shardId === shardId) &&
				(connectionId === undefined || entry.connectionId === connectionId),
		);
		return limit === undefined ? found : found.slice(Math.max(0, found.length - limit));
	}

	clear(): void {
		this.#entries = [];
	}
}
