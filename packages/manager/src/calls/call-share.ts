// A fair share of the manager for the calls of one worker: so many run at once, and the others wait for their turn. Without it, a worker that
// calls in a loop would keep the manager, and every worker that it calls, from answering heartbeats.

/** Each of these may ask every worker of the fleet. */
const runningAtOnce = 256;

export class CallShare {
	#running = 0;
	readonly #waiting: (() => void)[] = [];

	/** Runs the work when it has its turn, in the order of the calls; not at all when the caller has cancelled meanwhile. */
	async run<T>(work: () => Promise<T> | T, signal: AbortSignal): Promise<T> {
		if (this.#running >= runningAtOnce) await new Promise<void>((resolve) => this.#waiting.push(resolve));
		else this.#running++;
		try {
			signal.throwIfAborted();
			return await work();
		} finally {
			const next = this.#waiting.shift();
			if (next) next();
			else this.#running--;
		}
	}
}
