// Something that can be waited for: it holds, or it will after some change that its owner has {@link Condition.check} look at.
import { type Deferred, deferred } from '@shardctl/core';

export class Condition {
	readonly #holds: () => boolean;
	#waiting: Deferred<void> | null = null;

	constructor(holds: () => boolean) {
		this.#holds = holds;
	}

	get holds(): boolean {
		return this.#holds();
	}

	get isAwaited(): boolean {
		return this.#waiting !== null;
	}

	/** Resolves when it holds. */
	wait(): Promise<void> {
		if (this.#holds()) return Promise.resolve();
		this.#waiting ??= deferred();
		return this.#waiting.promise;
	}

	/** Something changed that it may depend on. */
	check(): void {
		if (!this.#waiting || !this.#holds()) return;
		this.#waiting.resolve();
		this.#waiting = null;
	}
}
