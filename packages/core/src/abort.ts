// Waiting for an abort signal.

/** Never resolves; rejects with the signal's reason once it is aborted. Without a signal it stays pending. */
export function aborted(signal: AbortSignal | undefined): Promise<never> {
	return new Promise((_, reject) => {
		if (signal?.aborted) reject(signal.reason);
		else signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
	});
}

/** Settles as `promise` does, or rejects with the signal's reason once that aborts first. Leaves no listener at the signal. */
export async function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
	signal.throwIfAborted();
	let onAbort = () => {};
	const abort = new Promise<never>((_, reject) => {
		onAbort = () => reject(signal.reason);
		signal.addEventListener('abort', onAbort, { once: true });
	});
	try {
		return await Promise.race([promise, abort]);
	} finally {
		signal.removeEventListener('abort', onAbort);
	}
}
