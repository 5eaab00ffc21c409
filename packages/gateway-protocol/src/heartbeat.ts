// Supervises the heartbeats of one connection. One timer, re-armed by each beat; the interval plus a grace without a beat
// means the client is gone. Discord: Gateway, "Sending Heartbeats" (the grace is not documented).
import type { Clock, Timer } from '@shardctl/core';

export interface HeartbeatSupervisorOptions {
	clock: Clock;
	/** How long a client may stay silent. */
	timeoutMs: number;
	onTimeout: () => void;
}

export class HeartbeatSupervisor {
	readonly #clock: Clock;
	readonly #timeoutMs: number;
	readonly #onTimeout: () => void;
	#timer: Timer | undefined;
	#deadlineMs: number;

	constructor({ clock, timeoutMs, onTimeout }: HeartbeatSupervisorOptions) {
		this.#clock = clock;
		this.#timeoutMs = timeoutMs;
		this.#onTimeout = onTimeout;
		this.#deadlineMs = clock.monotonic() + timeoutMs;
		this.#arm(timeoutMs);
	}

	beat(): void {
		this.#deadlineMs = this.#clock.monotonic() + this.#timeoutMs;
	}

	stop(): void {
		this.#clock.clearTimeout(this.#timer);
		this.#timer = undefined;
	}

	// A beat moves only the deadline; the timer finds that out when it fires, and sleeps on. That is cheaper than re-arming.
	#arm(delayMs: number): void {
		if (!Number.isFinite(delayMs)) return;
		this.#timer = this.#clock.setTimeout(() => {
			const leftMs = this.#deadlineMs - this.#clock.monotonic();
			if (leftMs > 0) this.#arm(leftMs);
			else this.#onTimeout();
		}, delayMs);
	}
}
