// Asks a process again and again whether its main thread is alive, and says when it is not. What follows is not decided here.
import type { Clock, Timer } from '@shardctl/core';
import { FairDeadline } from './fair-deadline.js';

export interface HeartbeatOptions {
	clock: Clock;
	/** From one answer to the next question. */
	intervalMs: number;
	/** How long an answer may take. */
	timeoutMs: number;
	ping(signal: AbortSignal): Promise<void>;
	/** Whether silence means nothing now: a debugger holds the process. */
	isExcused(): boolean;
	/** A question stayed without an answer for `timeoutMs` although one had been answered before. */
	onSilent(): void;
	/** After `onSilent`, the answer came all the same. */
	onAnswer(): void;
	/** Every answer, whether or not it was late. */
	onBeat?(): void;
}

/**
 * One question at a time. Before the first answer, silence says nothing: a process that is still loading its code cannot answer,
 * and the ready timeout judges it. A question that cannot be put (a closed channel) counts as one without an answer.
 */
export class Heartbeat {
	readonly #options: HeartbeatOptions;
	readonly #over = new AbortController();
	#timer: Timer | undefined;
	#deadline: FairDeadline | undefined;
	#answeredBefore = false;

	constructor(options: HeartbeatOptions) {
		this.#options = options;
	}

	start(): void {
		this.#ask();
	}

	/** Ends it for good and cancels a question that is out. */
	stop(): void {
		this.#options.clock.clearTimeout(this.#timer);
		this.#deadline?.clear();
		this.#over.abort();
	}

	#ask(): void {
		const { clock, intervalMs, timeoutMs } = this.#options;
		// Both a refused question and its deadline must be over before the next one, so that refusals do not become a busy loop.
		let silent = false;
		let refused = false;
		const askAgain = () => {
			if (!this.#over.signal.aborted) this.#timer = clock.setTimeout(() => this.#ask(), intervalMs);
		};
		const wait = () => {
			this.#deadline = new FairDeadline(clock, timeoutMs, () => {
				if (this.#options.isExcused()) {
					wait();
					return;
				}
				silent = true;
				if (refused) askAgain();
				if (this.#answeredBefore) this.#options.onSilent();
			});
		};
		wait();
		this.#options.ping(this.#over.signal).then(
			() => {
				if (this.#over.signal.aborted) return;
				this.#deadline?.clear();
				this.#options.onBeat?.();
				askAgain();
				if (silent && this.#answeredBefore) this.#options.onAnswer();
				this.#answeredBefore = true;
			},
			() => {
				refused = true;
				if (silent) askAgain();
			},
		);
	}
}
