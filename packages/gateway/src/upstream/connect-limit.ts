// How many connections to Discord one gateway process opens at the same time. Hundreds of handshakes at once, at the start of a large
// fleet or after a network outage, overflow the queue of the server that accepts them, and TCP retries a lost SYN only after seconds.

export class ConnectLimit {
	readonly #limit: number;
	#open = 0;
	readonly #waiting: (() => void)[] = [];

	constructor(limit: number) {
		this.#limit = limit;
	}

	/**
	 * Resolves when a handshake may begin, with the function to call when it is over; a second call of that does nothing. Rejects with
	 * the signal's reason.
	 */
	async enter(signal: AbortSignal): Promise<() => void> {
		signal.throwIfAborted();
		if (this.#open < this.#limit) this.#open++;
		else await this.#turn(signal);
		let over = false;
		return () => {
			if (over) return;
			over = true;
			// The next one takes the place over.
			const next = this.#waiting.shift();
			if (next) next();
			else this.#open--;
		};
	}

	#turn(signal: AbortSignal): Promise<void> {
		return new Promise((resolve, reject) => {
			const next = () => {
				signal.removeEventListener('abort', onAbort);
				resolve();
			};
			const onAbort = () => {
				this.#waiting.splice(this.#waiting.indexOf(next), 1);
				reject(signal.reason);
			};
			this.#waiting.push(next);
			signal.addEventListener('abort', onAbort, { once: true });
		});
	}
}
