// Observes the events of an emitter of the bot without adding a listener: `removeAllListeners()`, as bots call it to reload their
// event files, removes nothing of ours, and the bot's own listener counts stay as they are.

type Observer = (...args: never[]) => void;

interface Emitter {
	emit(event: string, ...args: unknown[]): boolean;
}

/**
 * Calls an observer whenever the emitter emits its event, before the bot's listeners. Observers of one emitter add up. What is
 * emitted through `EventEmitter.prototype.emit` directly is not seen; no library does that.
 */
export function observeEmits(emitter: object, observers: Readonly<Record<string, Observer>>): void {
	const target = emitter as Emitter;
	const observed = new Map(Object.entries(observers));
	const { emit } = target;
	const value = function emitObserved(this: Emitter, event: string, ...args: unknown[]): boolean {
		const observer = observed.get(event);
		if (observer) observer(...(args as never[]));
		return emit.call(this, event, ...args);
	};
	Object.defineProperty(target, 'emit', { value, configurable: true, writable: true });
}
