// Waits for a promise, but not forever.
import { type Clock, sleep } from '@shardctl/core';

/** Whether a promise resolves in time. */
export async function within(clock: Clock, limitMs: number, promise: Promise<void>): Promise<boolean> {
	const done = new AbortController();
	const expired = sleep(clock, limitMs, done.signal).then(
		() => false,
		() => false,
	);
	return Promise.race([promise.then(() => true), expired]).finally(() => done.abort());
}
