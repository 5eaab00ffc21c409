// Replaces workers in turn, so that most of the fleet is always up, and stops at the first that does not become ready again: a bad
// deploy costs one worker and not all of them. It decides the order; how a worker is replaced is the session mode's affair.
import type { RestartProgress } from '@shardctl/control';
import { type Clock, messageOf, ShardctlError, sleep } from '@shardctl/core';

/** A worker as a restart of many sees it. */
export interface RestartableWorker {
	readonly id: number;
	readonly shardIds: readonly number[];
	/** Resolves once it is ready again; rejects, with a message that names the worker, when it could not be. */
	restart(): Promise<void>;
}

export interface RestartInTurnOptions {
	/** How many may be away at once. */
	parallel: number;
	/** Pause between one worker's being ready and the next one's restart. */
	delayMs: number;
	clock: Clock;
	signal: AbortSignal;
	onProgress(progress: RestartProgress): void;
}

/**
 * Restarts workers in the order given, at most `parallel` at a time. Once one has failed no other is started: those under way are
 * awaited, and then it rejects with `WORKER_NOT_READY`. Rejects with the signal's reason when that aborts.
 */
export async function restartInTurn(workers: readonly RestartableWorker[], options: RestartInTurnOptions): Promise<void> {
	const { parallel, delayMs, clock, signal, onProgress } = options;
	const total = workers.length;
	const queue = [...workers];
	const failures: { worker: RestartableWorker; reason: unknown }[] = [];
	let done = 0;

	const lane = async () => {
		for (let first = true; failures.length === 0 && !signal.aborted; first = false) {
			if (!first && delayMs > 0 && queue.length > 0) await sleep(clock, delayMs, signal);
			const worker = queue.shift();
			if (!worker) return;
			const { id: workerId, shardIds } = worker;
			const report = (step: RestartProgress['step']) => onProgress({ workerId, shardIds, step, done, total });
			report('restarting');
			const failure = await worker.restart().then(
				() => undefined,
				(reason: unknown) => ({ worker, reason }),
			);
			if (failure) failures.push(failure);
			else done++;
			report(failure ? 'failed' : 'ready');
		}
	};
	const lanes = Array.from({ length: Math.min(parallel, total) }, lane);
	// All of them, so that the end is not reported while something is still being restarted.
	const ends = await Promise.allSettled(lanes);
	signal.throwIfAborted();
	for (const end of ends) if (end.status === 'rejected') throw end.reason;
	const [first] = failures;
	if (!first) return;
	const untouched = queue.length;
	throw new ShardctlError(
		'WORKER_NOT_READY',
		`${failures.map(({ reason }) => messageOf(reason)).join('; ')}. ` +
			`${untouched === 0 ? 'It was the last one' : `${untouched} of ${total} workers were left unchanged`}`,
		{ cause: first.reason, details: { workerId: first.worker.id, shardIds: first.worker.shardIds, restarted: done, untouched } },
	);
}
