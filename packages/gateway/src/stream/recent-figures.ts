// What the last seconds of a shard were like: events per second, and the longest wait before an event went out. Sampled by the
// owner's timer, so that an event costs a comparison.

/** How much of the past counts. */
const samples = 20;

export class RecentFigures {
	readonly #sampleMs: number;
	/** The newest last. */
	readonly #received: number[] = [0];
	readonly #waits: number[] = [0];

	/** {@link sample} has to be called this often. */
	constructor(sampleMs: number) {
		this.#sampleMs = sampleMs;
	}

	get eventsPerSecond(): number {
		const sampled = this.#received.length - 1;
		if (sampled === 0) return 0;
		const events = (this.#received.at(-1) as number) - (this.#received[0] as number);
		return Math.round((events * 10_000) / (sampled * this.#sampleMs)) / 10;
	}

	get longestWaitMs(): number {
		return Math.round(Math.max(...this.#waits));
	}

	/** An event waited for so long before it went out. */
	noteWait(waitMs: number): void {
		const last = this.#waits.length - 1;
		if (waitMs > (this.#waits[last] as number)) this.#waits[last] = waitMs;
	}

	/** @param received Events since the shard exists. */
	sample(received: number): void {
		this.#received.push(received);
		this.#waits.push(0);
		if (this.#received.length > samples + 1) this.#received.shift();
		if (this.#waits.length > samples) this.#waits.shift();
	}
}
