// Waits for several promises, also where one of them rejects.

/** As `Promise.all`, but only once all are settled: nothing is left under way that has no owner any more. */
export async function allSettled<T>(work: readonly Promise<T>[]): Promise<T[]> {
	await Promise.allSettled(work);
	return Promise.all(work);
}
