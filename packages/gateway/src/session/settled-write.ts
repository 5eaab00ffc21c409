// A write to a store that may have made it without confirming it, as Redis where its answer was lost. Who reads the store next goes by it, so the
// writer does not act either way before it knows.
import { type Clock, ShardctlError, sleep } from '@shardctl/core';

export interface SettledWriteOptions {
	clock: Clock;
	/** Whether this process will not act any more, whatever the outcome is. */
	isOver(): boolean;
	/** It takes back what was written, so that it has to be made: only another owner ends it at once. */
	isUndo?: boolean;
	/** The outcome stays unknown. */
	onUnknown(): void;
}

const againAfterMs = 200;
/** Errors after which certainly nothing was written. */
const refusals: ReadonlySet<string> = new Set(['FENCED', 'REDIS_REFUSED', 'SNAPSHOT_INVALID']);

/** Repeats a write, which is the same each time, until it is confirmed. Rejects where it was certainly not made, or nobody will act on it here. */
export async function settledWrite(
	write: () => Promise<void>,
	{ clock, isOver, isUndo = false, onUnknown }: SettledWriteOptions,
): Promise<void> {
	for (let isUnknown = false; ; ) {
		try {
			await write();
			return;
		} catch (error) {
			const isRefused = ShardctlError.is(error) && (isUndo ? error.code === 'FENCED' : refusals.has(error.code));
			if (!isUnknown && isRefused) throw error;
			isUnknown = true;
			if (isOver()) {
				onUnknown();
				throw error;
			}
			await sleep(clock, againAfterMs);
		}
	}
}
