// Follows a start to its end: every worker ready, or some given up. Decides nothing else.
import { aborted, formatShardIds, ShardctlError } from '@shardctl/core';
import type { ManagedWorker } from './managed-worker.js';

export interface StartOutcome {
	ready: readonly ManagedWorker[];
	/** The workers that were given up, with the reason. */
	failed: ReadonlyMap<ManagedWorker, string>;
}

export interface StartWatch {
	/** Resolves once every worker is either ready or given up; rejects with the signal's reason when it aborts first. */
	outcome: Promise<StartOutcome>;
	/** Another process, which is ready, is the worker of this id. */
	noteReady(workerId: number): void;
}

/** Follows the start of these workers. */
export function watchStart(workers: readonly ManagedWorker[], signal: AbortSignal): StartWatch {
	let noteReady = (_workerId: number) => {};
	const settled = new Promise<StartOutcome>((resolve) => {
		const waiting = new Set(workers);
		const failed = new Map<ManagedWorker, string>();
		const finish = () => {
			if (waiting.size === 0) resolve({ ready: workers.filter((worker) => !failed.has(worker)), failed });
		};
		const onReady = (worker: ManagedWorker) => {
			waiting.delete(worker);
			failed.delete(worker);
			finish();
		};
		noteReady = (workerId) => {
			const worker = workers.find(({ id }) => id === workerId);
			if (worker) onReady(worker);
		};
		for (const worker of workers) {
			worker.child.on('ready', () => onReady(worker));
			worker.child.on('failed', ({ reason }) => {
				if (!waiting.delete(worker)) return;
				failed.set(worker, worker.child.lastExit?.message ?? reason);
				finish();
			});
		}
		finish();
	});
	return { outcome: Promise.race([settled, aborted(signal)]), noteReady };
}

/** Names the workers that were given up. */
export function workersFailed({ ready, failed }: StartOutcome): ShardctlError {
	const lines = [...failed].map(([{ label }, why]) => `  ${label}: ${why}`);
	const survivors = ready.length;
	const rest = survivors === 0 ? 'nothing is left running' : `the other ${survivors} run on`;
	return new ShardctlError(
		'WORKERS_FAILED',
		`${failed.size} of ${failed.size + survivors} workers were given up; ${rest}\n${lines.join('\n')}`,
		{
			details: {
				survivors,
				workers: [...failed.keys()].map(({ id, shardIds, child }) => ({
					workerId: id,
					shards: formatShardIds(shardIds),
					lastExit: child.lastExit,
				})),
			},
		},
	);
}
