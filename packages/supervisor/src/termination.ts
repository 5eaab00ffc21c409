// The ladder by which a process is ended: ask, wait, SIGTERM, wait, SIGKILL. It never concludes that the process is gone:
// only the exit event reports that, and the caller awaits it.
import type { Clock, Timer } from '@shardctl/core';
import { timerDelayMs } from './timer-delay.js';

export interface TerminationOptions {
	clock: Clock;
	/** Asks the process to end by itself; null where asking is pointless. A rejection means that it cannot be asked. */
	ask: (() => Promise<void>) | null;
	/** From the asking to the SIGTERM; 0 goes straight to the SIGTERM, `Infinity` waits without limit. */
	graceMs: number;
	/** From the SIGTERM to the SIGKILL. */
	killAfterMs: number;
	terminate(): void;
	kill(): void;
}

type Step = 'idle' | 'asked' | 'terminated' | 'killed';

/**
 * Climbs the ladder once, upwards only.
 *
 * - `idle` → `asked`: the process was asked and has until the deadline. A refusal ends the wait at once.
 * - `asked` → `terminated`: it got a SIGTERM and has `killAfterMs`.
 * - `terminated` → `killed`: it got a SIGKILL, which nothing survives. No timer is left.
 */
export class Termination {
	readonly #options: TerminationOptions;
	#step: Step = 'idle';
	#timer: Timer | undefined;
	/** Monotonic time at which the present step ends. */
	#deadline = Number.POSITIVE_INFINITY;

	constructor(options: TerminationOptions) {
		this.#options = options;
	}

	start(): void {
		if (this.#step !== 'idle') return;
		const { ask, graceMs } = this.#options;
		if (ask === null || graceMs <= 0) {
			this.#terminate();
			return;
		}
		this.#step = 'asked';
		this.#arm(graceMs, () => this.#terminate());
		ask().catch(() => {
			if (this.#step === 'asked') this.#terminate();
		});
	}

	/** Leaves at most `graceMs` for the present step; 0 takes the next step now. */
	hasten(graceMs: number): void {
		if (this.#step !== 'asked' && this.#step !== 'terminated') return;
		const next = this.#step === 'asked' ? () => this.#terminate() : () => this.#kill();
		if (graceMs <= 0) next();
		else if (this.#options.clock.monotonic() + graceMs < this.#deadline) this.#arm(graceMs, next);
	}

	/** The process has exited. */
	end(): void {
		this.#options.clock.clearTimeout(this.#timer);
		this.#step = 'killed';
	}

	#terminate(): void {
		this.#step = 'terminated';
		this.#arm(this.#options.killAfterMs, () => this.#kill());
		this.#options.terminate();
	}

	#kill(): void {
		this.end();
		this.#options.kill();
	}

	#arm(delayMs: number, next: () => void): void {
		const { clock } = this.#options;
		clock.clearTimeout(this.#timer);
		this.#deadline = clock.monotonic() + delayMs;
		this.#timer = Number.isFinite(delayMs) ? clock.setTimeout(next, timerDelayMs(delayMs)) : undefined;
	}
}
