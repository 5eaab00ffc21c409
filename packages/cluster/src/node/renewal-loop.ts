// When a node renews: at its interval, and soon while there is no answer. What an answer means is not its subject.
//
//   idle ──start──▶ waiting for an answer ──answer──▶ interval ──▶ waiting …       stop leads back to idle from each.
//                     └── no answer within retryMs: reported, and the next renewal is sent beside the one that is open
import type { Clock, Timer } from '@shardctl/core';
import type { Timings } from '../lease/timings.js';

/** Renewals without an answer at a time. */
const mostInFlight = 16;

export interface RenewalLoopOptions {
	clock: Clock;
	timings: Pick<Timings, 'renewMs' | 'retryMs'>;
	/** Sends one renewal and takes its answer. */
	send(): Promise<void>;
	/** A renewal has no answer yet, or has failed. */
	onUnanswered(error?: unknown): void;
}

export class RenewalLoop {
	readonly #options: RenewalLoopOptions;
	#timer: Timer | undefined;
	#inFlight = 0;
	#running = false;

	constructor(options: RenewalLoopOptions) {
		this.#options = options;
	}

	start(): void {
		this.#running = true;
		this.#renew();
	}

	/** Sends the next renewal now. */
	soon(): void {
		if (this.#running) this.#after(0, () => this.#renew());
	}

	stop(): void {
		this.#running = false;
		this.#options.clock.clearTimeout(this.#timer);
	}

	#renew(): void {
		const { renewMs, retryMs } = this.#options.timings;
		let answered = false;
		this.#after(retryMs, () => {
			if (answered) {
				this.#after(renewMs - retryMs, () => this.#renew());
				return;
			}
			this.#options.onUnanswered();
			this.#renew();
		});
		if (this.#inFlight >= mostInFlight) return;
		this.#inFlight++;
		void this.#options
			.send()
			.then(
				() => {
					answered = true;
				},
				(error: unknown) => this.#options.onUnanswered(error),
			)
			.finally(() => {
				this.#inFlight--;
			});
	}

	#after(delayMs: number, act: () => void): void {
		const { clock } = this.#options;
		clock.clearTimeout(this.#timer);
		this.#timer = clock.setTimeout(() => {
			if (this.#running) act();
		}, delayMs);
	}
}
