// A node of a cluster in direct mode: its workers hold the sessions, and another node starts the same shards when the lease of this one is
// over. So a worker ends itself then, also where its manager is stopped and can end nothing.

export interface LeaseEndOptions {
	/** The clock that all processes of the machine share, in ms. */
	machineClock?(): number;
	/** Ends the process. */
	end(): void;
}

export class LeaseEnd {
	readonly #options: LeaseEndOptions;
	#timer: NodeJS.Timeout | undefined;

	constructor(options: LeaseEndOptions) {
		this.#options = options;
	}

	/** The lease is valid until then, by the clock of the machine. */
	hear(untilMs: number): void {
		const { machineClock = sharedClock, end } = this.#options;
		clearTimeout(this.#timer);
		this.#timer = setTimeout(end, Math.max(0, untilMs - machineClock()));
		this.#timer.unref();
	}
}

function sharedClock(): number {
	return Number(process.hrtime.bigint()) / 1e6;
}
