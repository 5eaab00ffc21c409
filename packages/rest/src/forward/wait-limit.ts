// How long one request may wait in this process, all of its waits together. Libraries give a request up after 15 s and send it again.
import type { Clock, Timer } from '@shardctl/core';

export class WaitLimit {
	readonly #clock: Clock;
	readonly #onOver: () => void;
	#leftMs: number;
	#since: number | undefined;
	#timer: Timer | undefined;

	constructor({ clock, limitMs, onOver }: { clock: Clock; limitMs: number; onOver(): void }) {
		this.#clock = clock;
		this.#leftMs = limitMs;
		this.#onOver = onOver;
	}

	/** It waits from now on. */
	start(): void {
		if (this.#since !== undefined) return;
		this.#since = this.#clock.monotonic();
		this.#timer = this.#clock.setTimeout(() => this.#onOver(), Math.max(0, this.#leftMs));
	}

	/** It waits no longer. */
	stop(): void {
		if (this.#since === undefined) return;
		this.#leftMs -= this.#clock.monotonic() - this.#since;
		this.#since = undefined;
		this.#clock.clearTimeout(this.#timer);
	}
}
