// Passes things on in order, each after a delay. One timer at a time; none when it is empty.
import type { Clock, Timer } from '@shardctl/core';

export class DelayLine {
	readonly #clock: Clock;
	readonly #waiting: { dueMs: number; run: () => void }[] = [];
	#timer: Timer | undefined;

	constructor(clock: Clock) {
		this.#clock = clock;
	}

	get empty(): boolean {
		return this.#waiting.length === 0;
	}

	/** Runs it after `delayMs`, and not before what was added earlier. */
	add(delayMs: number, run: () => void): void {
		const due = this.#clock.monotonic() + delayMs;
		this.#waiting.push({ dueMs: Math.max(due, this.#waiting.at(-1)?.dueMs ?? 0), run });
		if (this.#timer === undefined) this.#arm();
	}

	/** Runs it `gapMs` after what was added last has run. */
	addAfter(gapMs: number, run: () => void): void {
		const last = this.#waiting.at(-1)?.dueMs ?? this.#clock.monotonic();
		this.add(last + gapMs - this.#clock.monotonic(), run);
	}

	stop(): void {
		this.#clock.clearTimeout(this.#timer);
		this.#timer = undefined;
		this.#waiting.length = 0;
	}

	#arm(): void {
		const [first] = this.#waiting;
		if (!first) return;
		this.#timer = this.#clock.setTimeout(
			() => {
				this.#timer = undefined;
				const nowMs = this.#clock.monotonic();
				while (this.#waiting[0] && this.#waiting[0].dueMs <= nowMs) this.#waiting.shift()?.run();
				if (this.#timer === undefined) this.#arm();
			},
			Math.max(0, first.dueMs - this.#clock.monotonic()),
		);
	}
}
