// Supervises the heartbeats of one connection: a client that is silent for too long is gone. Where it is not left to beat at its
// own pace it is asked. One timer, which sleeps until the next of the two is due.
// Discord: Gateway, "Sending Heartbeats" (how long Discord waits is not documented).
import type { Clock, Timer } from '@shardctl/core';

export interface HeartbeatSupervisorOptions {
	clock: Clock;
	/** How long a client may stay silent; `Infinity` for as long as it likes. */
	timeoutMs: number;
	onTimeout: () => void;
	/** Silence after which the client is asked for a beat; `Infinity` for never. */
	askAfterMs: number;
	onAsk: () => void;
}

export class HeartbeatSupervisor {
	readonly #options: HeartbeatSupervisorOptions;
	#timer: Timer | undefined;
	#beatAtMs: number;
	#askedAtMs: number;

	constructor(options: HeartbeatSupervisorOptions) {
		this.#options = options;
		this.#beatAtMs = options.clock.monotonic();
		this.#askedAtMs = this.#beatAtMs;
		this.#arm();
	}

	beat(): void {
		this.#beatAtMs = this.#options.clock.monotonic();
		this.#askedAtMs = this.#beatAtMs;
	}

	stop(): void {
		this.#options.clock.clearTimeout(this.#timer);
		this.#timer = undefined;
	}

	// A beat moves only the deadlines; the timer finds that out when it fires, and sleeps on. That is cheaper than re-arming.
	#arm(): void {
		const { clock, timeoutMs, askAfterMs, onTimeout, onAsk } = this.#options;
		const delayMs = Math.min(this.#beatAtMs + timeoutMs, this.#askedAtMs + askAfterMs) - clock.monotonic();
		if (!Number.isFinite(delayMs)) return;
		this.#timer = clock.setTimeout(
			() => {
				if (clock.monotonic() >= this.#beatAtMs + timeoutMs) {
					onTimeout();
					return;
				}
				if (clock.monotonic() >= this.#askedAtMs + askAfterMs) {
					this.#askedAtMs = clock.monotonic();
					onAsk();
				}
				this.#arm();
			},
			Math.max(0, delayMs),
		);
	}
}
