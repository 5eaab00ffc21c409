// Into which process a thread goes. Pure: it starts nothing.

/** A process as the choice sees it. */
export interface Place {
	/** Whether it takes a thread at all: it runs, and in the same folder. */
	readonly isOpen: boolean;
	/** The owners of its living threads. */
	readonly owners: readonly number[];
}

/**
 * The process for a thread of `owner`; undefined where it needs a new one.
 *
 * - Never beside a living thread of the same owner: that one is about to be replaced by this one, as in a deploy, which so moves to new
 *   processes step by step, with the native code that only a new process loads again.
 * - A thread that is started again goes back to the process that it was in.
 * - Else the newest process that has room.
 */
export function choosePlace<P extends Place>(
	places: readonly P[],
	{ owner, last, threadsPerProcess }: { owner: number; last: P | undefined; threadsPerProcess: number },
): P | undefined {
	const fits = (place: P) => place.isOpen && place.owners.length < threadsPerProcess && !place.owners.includes(owner);
	if (last && places.includes(last) && fits(last)) return last;
	return places.findLast(fits);
}
