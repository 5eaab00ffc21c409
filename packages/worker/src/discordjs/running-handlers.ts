// Knows which of a bot's listeners are still at work on an event, so that a process that ends can finish what it has begun. It wraps
// them as they are added, the way node's own `once()` does: `off()` and `listeners()` go by the bot's own functions.
// Node: Events, "emitter.rawListeners".

type Listener = (this: unknown, ...args: never[]) => unknown;

const adders = ['on', 'addListener', 'prependListener'] as const;

type Emitter = { [Adder in (typeof adders)[number]]?: (event: string | symbol, listener: Listener) => unknown };

export class ListenersAtWork {
	readonly #atWork = new Set<PromiseLike<unknown>>();

	/**
	 * Watches the listeners that are added from now on. The emitter must deal with what they reject with itself (`captureRejections`):
	 * a promise that is watched counts as handled.
	 */
	watch(emitter: object): void {
		for (const adder of adders) {
			const add = (emitter as Emitter)[adder];
			if (!add) continue;
			const value = (event: string | symbol, listener: Listener) => add.call(emitter, event, this.#watched(listener));
			Object.defineProperty(emitter, adder, { value, configurable: true, writable: true });
		}
	}

	/** Resolves when every listener is done that is at work now. */
	async finished(): Promise<void> {
		await Promise.allSettled(this.#atWork);
	}

	#watched(listener: Listener): Listener {
		// What `once()` adds is wrapped already, and finds itself by what it is.
		if (typeof listener !== 'function' || 'listener' in listener) return listener;
		const note = (result: PromiseLike<unknown>) => this.#note(result);
		function watched(this: unknown, ...args: never[]): unknown {
			const result = listener.apply(this, args);
			if (isPromiseLike(result)) note(result);
			return result;
		}
		return Object.assign(watched, { listener });
	}

	#note(result: PromiseLike<unknown>): void {
		this.#atWork.add(result);
		void result.then(
			() => this.#atWork.delete(result),
			() => this.#atWork.delete(result),
		);
	}
}

function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
	return typeof (value as { then?: unknown } | null | undefined)?.then === 'function';
}
