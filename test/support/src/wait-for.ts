// Waits for a condition by polling with a deadline: for real processes and sockets, which take their own time.

/**
 * Resolves with the first truthy value of `probe`. Fails after `timeoutMs` (default 60 s) with `what` and the last value.
 * A probe that throws counts as "not yet"; its last error is the cause.
 */
export async function waitFor<T>(
	what: string,
	probe: () => T | Promise<T>,
	{ timeoutMs = 60_000, everyMs = 25 }: { timeoutMs?: number; everyMs?: number } = {},
): Promise<NonNullable<T>> {
	const end = performance.now() + timeoutMs;
	let last: unknown;
	for (;;) {
		try {
			last = await probe();
			if (last) return last as NonNullable<T>;
		} catch (error) {
			last = error;
		}
		if (performance.now() > end)
			throw new Error(`timed out after ${timeoutMs} ms waiting for ${what}; last: ${String(last)}`, { cause: last });
		await new Promise((resolve) => setTimeout(resolve, everyMs));
	}
}
