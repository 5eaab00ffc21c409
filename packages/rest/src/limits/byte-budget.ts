// The memory for bodies of requests: who wants more than is left waits in line, so that its client is not read from.

interface Waiting {
	bytes: number;
	admit(): void;
}

export class ByteBudget {
	readonly #total: number;
	/** Bodies up to this size never wait: a message does not wait for uploads. */
	readonly #smallBytes: number;
	#used = 0;
	readonly #waiting = new Set<Waiting>();

	constructor({ totalBytes, smallBytes }: { totalBytes: number; smallBytes: number }) {
		this.#total = totalBytes;
		this.#smallBytes = smallBytes;
	}

	get used(): number {
		return this.#used;
	}

	get waiting(): number {
		return this.#waiting.size;
	}

	/** Resolves when the bytes may be read; rejects with the signal's reason. What is larger than the whole budget waits until it is alone. */
	take(bytes: number, signal: AbortSignal): Promise<void> {
		return new Promise((resolve, reject) => {
			if (signal.aborted) {
				reject(signal.reason);
				return;
			}
			const onAbort = () => {
				this.#waiting.delete(waiting);
				reject(signal.reason);
				this.#admit();
			};
			const waiting: Waiting = {
				bytes,
				admit: () => {
					signal.removeEventListener('abort', onAbort);
					this.#used += bytes;
					resolve();
				},
			};
			if (bytes <= this.#smallBytes) {
				waiting.admit();
				return;
			}
			signal.addEventListener('abort', onAbort, { once: true });
			this.#waiting.add(waiting);
			this.#admit();
		});
	}

	giveBack(bytes: number): void {
		this.#used -= bytes;
		this.#admit();
	}

	#admit(): void {
		for (const waiting of this.#waiting) {
			if (this.#used > 0 && this.#used + waiting.bytes > this.#total) return;
			this.#waiting.delete(waiting);
			waiting.admit();
		}
	}
}
