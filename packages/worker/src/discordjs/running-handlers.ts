// Knows whether event handlers of a bot are still running, so that a process that ends can let them finish. It wraps listeners as
// they are added, the way Node's own `once()` does: `off()` and `listeners()` take and return the bot's own functions.
// Node: Events, "emitter.rawListeners".

type Listener = (this: unknown, ...args: never[]) => unknown;

const adders = ['on', 'addListener', 'prependListener'] as const;

type Emitter = { [Adder in (typeof adders)[number]]?: (event: string | symbol, listener: Listener) => unknown };

/**
 * The handlers that were called in one period. It only counts: a handler's promise keeps the batch alive and not the other way
 * round, so a promise that never settles is garbage as soon as the bot drops it.
 */
class Batch {
	#running = 0;
	#whenDone: (() => void)[] = [];

	readonly #onSettled = (): void => {
		if (--this.#running > 0) return;
		for (const done of this.#whenDone.splice(0)) done();
	};

	get done(): boolean {
		return this.#running === 0;
	}

	add(result: PromiseLike<unknown>): void {
		this.#running++;
		void result.then(this.#onSettled, this.#onSettled);
	}

	finished(): Promise<void> {
		return this.done ? Promise.resolve() : new Promise((resolve) => this.#whenDone.push(resolve));
	}
}

export class RunningHandlers {
	#current = new Batch();
	/** Batches that `finished` has waited for and that still run. */
	#earlier: Batch[] = [];

	/**
	 * Watches the listeners that are added from now on. The emitter must handle their rejections itself (`captureRejections`): a
	 * promise that is watched counts as handled.
	 */
	watch(emitter: object): void {
		for (const adder of adders) {
			const add = (emitter as Emitter)[adder];
			if (!add) continue;
			const value = (event: string | symbol, listener: Listener) => add.call(emitter, event, this.#watched(listener));
			Object.defineProperty(emitter, adder, { value, configurable: true, writable: true });
		}
	}

	/** Resolves when every handler that runs now has finished; handlers that start later do not count. */
	async finished(): Promise<void> {
		const batches = [...this.#earlier, this.#current].filter(({ done }) => !done);
		this.#current = new Batch();
		this.#earlier = batches;
		await Promise.all(batches.map((batch) => batch.finished()));
	}

	#watched(listener: Listener): Listener {
		// Node's `once()` adds a function with this property, and compares its own function when it removes it.
		if (typeof listener !== 'function' || 'listener' in listener) return listener;
		const note = (result: PromiseLike<unknown>) => this.#current.add(result);
		function watched(this: unknown, ...args: never[]): unknown {
			const result = listener.apply(this, args);
			if (isPromiseLike(result)) note(result);
			return result;
		}
		return Object.assign(watched, { listener });
	}
}

function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
	return typeof (value as { then?: unknown } | null | undefined)?.then === 'function';
}
