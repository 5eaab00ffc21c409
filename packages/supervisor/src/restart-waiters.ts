// Those who called `restart` and wait to hear how it went.

interface Waiter {
	settle(ready: boolean): void;
	/** Only incarnations after this one are replacements. */
	afterEpoch: number;
	exitsLeft: number;
}

export class RestartWaiters {
	readonly #waiters = new Set<Waiter>();

	/** Waits for an incarnation after `epoch` to become ready; `false` once `giveUpAfterExits` of them have ended instead. */
	wait(epoch: number, giveUpAfterExits: number): Promise<boolean> {
		return new Promise((settle) => {
			this.#waiters.add({ settle, afterEpoch: epoch, exitsLeft: giveUpAfterExits });
		});
	}

	/** An incarnation is gone; had it become ready, no caller would still be waiting for it. */
	noteExit(epoch: number): void {
		for (const waiter of this.#waiters) {
			if (epoch <= waiter.afterEpoch || --waiter.exitsLeft > 0) continue;
			this.#waiters.delete(waiter);
			waiter.settle(false);
		}
	}

	settle(ready: boolean): void {
		for (const waiter of this.#waiters) waiter.settle(ready);
		this.#waiters.clear();
	}
}
