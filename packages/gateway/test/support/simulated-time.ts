// Time and processes of a simulation: timers fire in order, as fast as their work allows, and a process that is killed has none any more.
// One run of a seed is like every other.
import { setImmediate as turn } from 'node:timers/promises';
import type { Clock } from '@shardctl/core';

interface SimulatedTimer {
	dueMs: number;
	callback: (() => void) | null;
}

const epochMs = 1_700_000_000_000;

export class SimulatedTime implements Clock {
	#nowMs = 0;
	/** By the time at which they are due; those that are due at the same time in the order in which they were set. */
	readonly #timers: SimulatedTimer[] = [];

	now(): number {
		return epochMs + this.#nowMs;
	}

	monotonic(): number {
		return this.#nowMs;
	}

	setTimeout(callback: () => void, delayMs: number): SimulatedTimer {
		const timer = { dueMs: this.#nowMs + Math.max(0, delayMs), callback };
		let [low, high] = [0, this.#timers.length];
		while (low < high) {
			const middle = (low + high) >> 1;
			if ((this.#timers[middle] as SimulatedTimer).dueMs <= timer.dueMs) low = middle + 1;
			else high = middle;
		}
		this.#timers.splice(low, 0, timer);
		return timer;
	}

	clearTimeout(timer: object | number | undefined): void {
		if (timer !== undefined) (timer as SimulatedTimer).callback = null;
	}

	/** Lets time pass until the condition holds. Rejects when it does not within this time. */
	async until(what: string, condition: () => boolean, withinMs: number): Promise<void> {
		const deadline = this.#nowMs + withinMs;
		for (;;) {
			await turn();
			if (condition()) return;
			const timer = this.#timers.shift();
			if (!timer || timer.dueMs > deadline) throw new Error(`waited ${withinMs} ms for ${what}`);
			this.#nowMs = timer.dueMs;
			timer.callback?.();
		}
	}

	async pass(ms: number): Promise<void> {
		let passed = false;
		this.setTimeout(() => {
			passed = true;
		}, ms);
		await this.until(`${ms} ms to pass`, () => passed, ms);
	}
}

/** A process of the simulation: what it waits for never happens once it was killed. */
export class SimulatedProcess {
	readonly clock: Clock;
	#isAlive = true;

	constructor(time: SimulatedTime) {
		this.clock = {
			now: () => time.now(),
			monotonic: () => time.monotonic(),
			setTimeout: (callback, delayMs) =>
				time.setTimeout(() => {
					if (this.#isAlive) callback();
				}, delayMs),
			clearTimeout: (timer) => time.clearTimeout(timer as object),
		};
	}

	get isAlive(): boolean {
		return this.#isAlive;
	}

	kill(): void {
		this.#isAlive = false;
	}
}

/** Passes things on one after the other, each after its own delay at least, as a connection does. */
export class SimulatedLine {
	readonly #clock: Clock;
	#lastMs = 0;

	constructor(clock: Clock) {
		this.#clock = clock;
	}

	add(delayMs: number, run: () => void): void {
		const nowMs = this.#clock.monotonic();
		this.#lastMs = Math.max(this.#lastMs, nowMs + delayMs);
		this.#clock.setTimeout(run, this.#lastMs - nowMs);
	}
}
