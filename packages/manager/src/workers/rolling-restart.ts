// Replaces workers in turn, so that most of the fleet is always up, and stops at the first that does not come back: a bad deploy
// costs one worker and not all of them. It decides the order; how a worker is replaced is the worker's affair.
import type { RestartProgress } from '@shardctl/control';
import { type Clock, ShardctlError, sleep } from '@shardctl/core';

/** A worker as a restart of many sees it. */
export interface RestartableWorker {
	readonly id: number;
	readonly shardIds: readonly number[];
	readonly label: string;
	/** Resolves `true` once it is ready again, `false` when it could not be. Never rejects. */
	restart(): Promise<boolean>;
	/** For people: why it is not ready. */
	trouble(): string;
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
 * Restarts workers in the order given, at most `parallel` at a time. Once one is not ready again no further one is touched: those
 * under way come to their end, and then it rejects with `WORKER_NOT_READY`. Rejects with the signal's reason when that aborts.
 */
export async function restartInTurn(workers: readonly RestartableWorker[], options: RestartInTurnOptions): Promise<void> {
	const { parallel, delayMs, clock, signal, onProgress } = options;
	const total = workers.length;
	const queue = [...workers];
	const lost: RestartableWorker[] = [];
	let done = 0;

	const lane = async () => {
		for (let first = true; lost.length === 0 && !signal.aborted; first = false) {
			if (!first && delayMs > 0 && queue.length > 0) await sleep(clock, delayMs, signal);
			const worker = queue.shift();
			if (!worker) return;
			const { id: workerId, shardIds } = worker;
			onProgress({ workerId, shardIds, step: 'restarting', done, total });
			const ready = await worker.restart();
			if (ready) done++;
			else lost.push(worker);
			onProgress({ workerId, shardIds, step: ready ? 'ready' : 'failed', done, total });
		}
	};
	const lanes = Array.from({ length: Math.min(parallel, total) }, lane);
	// All of them, so that nobody is told of an end while something is still being restarted.
	const ends = await Promise.allSettled(lanes);
	signal.throwIfAborted();
	for (const end of ends) if (end.status === 'rejected') throw end.reason;
	const [first] = lost;
	if (!first) return;
	throw new ShardctlError(
		'WORKER_NOT_READY',
		`${lost.map(({ label }) => label).join(', ')} did not become ready again: ${first.trouble()}. ` +
			`${queue.length === 0 ? 'It was the last one' : `${queue.length} of ${total} workers were left as they are`}`,
		{ details: { workerId: first.id, shardIds: first.shardIds, restarted: done, untouched: queue.length } },
	);
}
