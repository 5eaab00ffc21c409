// Limits how many workers boot at once: node and a library cost a core for a while, and a hundred at a time would only make
// each of them late.
import type { Clock } from '@shardctl/core';

export interface BootGateOptions {
	clock: Clock;
	places: number;
	/** A worker that has not left by then is no longer counted: a bot that never connects must not keep the others from booting. */
	longestBootMs: number;
}

/** A gate with a number of places; entering returns a function that gives the place back. */
export class BootGate {
	readonly #options: BootGateOptions;
	readonly #waiting: (() => void)[] = [];
	#taken = 0;

	constructor(options: BootGateOptions) {
		this.#options = options;
	}

	/** Resolves with the function that leaves the gate (calling it twice is harmless); rejects when `signal` aborts first. */
	async enter(signal: AbortSignal): Promise<() => void> {
		signal.throwIfAborted();
		const { clock, places, longestBootMs } = this.#options;
		if (this.#taken < places) this.#taken++;
		else await this.#handedOver(signal);
		let inside = true;
		const leave = () => {
			if (!inside) return;
			inside = false;
			clock.clearTimeout(timer);
			const next = this.#waiting.shift();
			// The place passes directly to the next in line, so that no later caller can take it in between.
			if (next) next();
			else this.#taken--;
		};
		const timer = clock.setTimeout(leave, longestBootMs);
		return leave;
	}

	#handedOver(signal: AbortSignal): Promise<void> {
		return new Promise((resolve, reject) => {
			const onAbort = () => {
				this.#waiting.splice(this.#waiting.indexOf(take), 1);
				reject(signal.reason);
			};
			const take = () => {
				signal.removeEventListener('abort', onAbort);
				resolve();
			};
			signal.addEventListener('abort', onAbort, { once: true });
			this.#waiting.push(take);
		});
	}
}
