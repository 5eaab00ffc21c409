// Asks the worker how far it is: after a number of events, and again and again while something that it was sent is not confirmed. The
// question is a request for a heartbeat, and the answer is the heartbeat's sequence number.
// Discord: Gateway, "Sending Heartbeats" (op 1 from the gateway).
import type { Clock, Timer } from '@shardctl/core';
import type { StreamConsumer } from './consumer.js';

const rhythm = { everyEvents: 256, everyMs: 40 };

export interface ProbeOptions {
	clock: Clock;
	/** Who the events were sent to. */
	worker(): StreamConsumer | null;
	/** Another session that has something to confirm. */
	standby(): StreamConsumer | null;
	/** Whether the worker has something to confirm. */
	isNeeded(): boolean;
}

export class Probe {
	readonly #options: ProbeOptions;
	#sinceAsked = 0;
	#timer: Timer | undefined;

	constructor(options: ProbeOptions) {
		this.#options = options;
	}

	/** An event was sent. `mustConfirm`: nothing may follow it until it is confirmed. */
	noteSent({ delivered, mustConfirm }: { delivered: boolean; mustConfirm: boolean }): void {
		if (delivered) this.#sinceAsked++;
		if (mustConfirm || this.#sinceAsked >= rhythm.everyEvents) this.ask();
	}

	/** Asks the worker, unless it was asked too short a time ago; `now` asks all the same. */
	ask(options?: { now: boolean }): void {
		if (this.#options.worker()?.probe(options)) this.#sinceAsked = 0;
	}

	/** Sees to it that whatever is not confirmed is asked for again, until it is. */
	arm(): void {
		if (this.#timer !== undefined || !this.#isNeeded()) return;
		this.#timer = this.#options.clock.setTimeout(() => {
			this.#timer = undefined;
			if (!this.#isNeeded()) return;
			this.ask();
			this.#options.standby()?.probe();
			this.arm();
		}, rhythm.everyMs);
	}

	stop(): void {
		this.#options.clock.clearTimeout(this.#timer);
	}

	#isNeeded(): boolean {
		return this.#options.standby() !== null || this.#options.isNeeded();
	}
}
