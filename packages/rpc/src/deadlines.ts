// The deadlines of all peers that use one clock. Deadlines of one length expire in the order in which they were set, so they share
// a timer: a timer per call would be most of the cost of a small call, and a broadcast is a call to each of many peers.
import type { Clock, Timer } from '@shardctl/core';

/** Something that expires unless it is removed before. */
export interface Deadline {
	/** 0 or Infinity: none. */
	readonly timeoutMs: number;
	/** Monotonic; set when it is added. */
	dueAt: number;
	expire(): void;
}

/** Longest delay that a timer can have; a longer one would fire at once. */
const maxTimerMs = 2 ** 31 - 1;

/** Timers count whole ms, so one may fire by less than this too early. */
const timerSlackMs = 1;

/** The deadlines of one length. */
interface Lane {
	readonly timeoutMs: number;
	/** Oldest first. Never empty while the lane is kept. */
	readonly waiting: Set<Deadline>;
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
			lane = { timeoutMs, waiting: new Set(), timer: undefined };
			this.#lanes.set(timeoutMs, lane);
			this.#setTimer(lane, timeoutMs);
		}
		deadline.dueAt = this.#clock.monotonic() + timeoutMs;
		lane.waiting.add(deadline);
	}

	/** No effect on a deadline that is not set. */
	remove(deadline: Deadline): void {
		const lane = this.#lanes.get(deadline.timeoutMs);
		if (!lane?.waiting.delete(deadline) || lane.waiting.size > 0) return;
		this.#clock.clearTimeout(lane.timer);
		this.#lanes.delete(lane.timeoutMs);
	}

	#setTimer(lane: Lane, delayMs: number): void {
		lane.timer = this.#clock.setTimeout(() => this.#expire(lane), Math.min(delayMs, maxTimerMs));
	}

	#expire(lane: Lane): void {
		const now = this.#clock.monotonic();
		for (const deadline of lane.waiting) {
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
