// One listener per AbortSignal however many calls wait for it. Ten thousand calls may share a signal, and Node warns of a leak
// at the eleventh listener.

const waiting = new WeakMap<AbortSignal, Set<() => void>>();

/** Runs `callback` when the signal is aborted, which it must not be yet. Returns a function that takes this back. */
export function onAbort(signal: AbortSignal, callback: () => void): () => void {
	let callbacks = waiting.get(signal);
	if (!callbacks) {
		callbacks = new Set();
		waiting.set(signal, callbacks);
	}
	if (callbacks.size === 0) signal.addEventListener('abort', runAll);
	callbacks.add(callback);
	return () => {
		callbacks.delete(callback);
		if (callbacks.size === 0) signal.removeEventListener('abort', runAll);
	};
}

function runAll(this: AbortSignal): void {
	const callbacks = waiting.get(this);
	waiting.delete(this);
	if (callbacks) for (const callback of callbacks) callback();
}
