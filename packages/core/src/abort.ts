// Waiting for an abort signal.

/** Never resolves; rejects with the signal's reason once it is aborted. Without a signal it stays pending. */
export function aborted(signal: AbortSignal | undefined): Promise<never> {
	return new Promise((_, reject) => {
		if (signal?.aborted) reject(signal.reason);
		else signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
	});
}
