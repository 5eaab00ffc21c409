// The deadlines of all peers that use one clock. Deadlines of one length expire in the order in which they were set, so they share
// a timer: a timer per call would be most of the cost of a small call, and a broadcast is a call to each of many peers.
import type { Clock, Timer } from '@shardctl/core';

/** Something that expires unless it is removed before. */
export interface Deadline {
	/** 0 or Infinity: none. */
	readonly timeoutMs: number;
	/** Monotonic, rounded up. */
	dueAt: number;
	/** Its place in the list of its lane, undefined while it is not set. Links, because thousands may be set, and most are removed soon. */
	lane: Lane | undefined;
	previous: Deadline | undefined;
	next: Deadline | undefined;
	expire(): void;
}

/** Longest delay that a timer can have; a longer one would fire at once. */
const maxTimerMs = 2 ** 31 - 1;

/** Timers count whole ms, so one may fire by less than this too early. */
const timerSlackMs = 1;

/** The deadlines of one length, oldest first. */
export interface Lane {
	readonly timeoutMs: number;
	/** Both undefined while none is set. */
	first: Deadline | undefined;
	last: Deadline | undefined;
	/** Fires at the first deadline or before. */
	timer: Timer | undefined;
}

export class Deadlines {
	readonly #clock: Clock;
	readonly #lanes = new Map<number, Lane>();

	constructor(clock: Clock) {
		this.#clock = clock;
	}

	add(deadline: Deadline): void {
		const { timeoutMs } = deadline;
		if (timeoutMs === 0 || timeoutMs === Number.POSITIVE_INFINITY) return;
		let lane = this.#lanes.get(timeoutMs);
		if (!lane) {
			lane = { timeoutMs, first: undefined, last: undefined, timer: undefined };
			this.#lanes.set(timeoutMs, lane);
			this.#setTimer(lane, timeoutMs);
		}
		deadline.dueAt = Math.ceil(this.#clock.monotonic() + timeoutMs);
		deadline.lane = lane;
		deadline.previous = lane.last;
		if (lane.last) lane.last.next = deadline;
		else lane.first = deadline;
		lane.last = deadline;
	}

	/** No effect on a deadline that is not set. */
	remove(deadline: Deadline): void {
		const { lane, previous, next } = deadline;
		if (!lane) return;
		if (previous) previous.next = next;
		else lane.first = next;
		if (next) next.previous = previous;
		else lane.last = previous;
		deadline.lane = undefined;
		deadline.previous = undefined;
		deadline.next = undefined;
		if (lane.first) return;
		this.#clock.clearTimeout(lane.timer);
		this.#lanes.delete(lane.timeoutMs);
	}

	#setTimer(lane: Lane, delayMs: number): void {
		lane.timer = this.#clock.setTimeout(() => this.#expire(lane), Math.min(delayMs, maxTimerMs));
	}

	#expire(lane: Lane): void {
		const now = this.#clock.monotonic();
		for (let deadline = lane.first; deadline; deadline = lane.first) {
			const leftMs = deadline.dueAt - now;
			if (leftMs >= timerSlackMs) {
				this.#setTimer(lane, leftMs);
				return;
			}
			this.remove(deadline);
			deadline.expire();
		}
	}
}

const shared = new WeakMap<Clock, Deadlines>();

/** The deadlines of all users of this clock. */
export function deadlinesOf(clock: Clock): Deadlines {
	let deadlines = shared.get(clock);
	if (!deadlines) {
		deadlines = new Deadlines(clock);
		shared.set(clock, deadlines);
	}
	return deadlines;
}
