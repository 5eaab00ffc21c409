// Follows a start to its end: every worker ready, or some given up. Decides nothing else.
import { formatShardIds, ShardctlError } from '@shardctl/core';
import type { ManagedWorker } from './managed-worker.js';

/**
 * Resolves once every worker is ready; rejects with `WORKERS_FAILED` once every worker is settled and some were given up
 * (`details.workers` names them, `details.survivors` counts the others), or with the signal's reason when it aborts.
 */
export function watchStart(workers: readonly ManagedWorker[], signal: AbortSignal): Promise<void> {
	return new Promise((resolve, reject) => {
		const waiting = new Set(workers);
		const failed = new Map<ManagedWorker, string>();
		const finish = () => {
			if (waiting.size > 0) return;
			if (failed.size === 0) resolve();
			else reject(workersFailed(failed, workers.length));
		};
		for (const worker of workers) {
			worker.child.on('ready', () => {
				waiting.delete(worker);
				failed.delete(worker);
				finish();
			});
			worker.child.on('failed', ({ reason }) => {
				if (!waiting.delete(worker)) return;
				failed.set(worker, worker.child.lastExit?.message ?? reason);
				finish();
			});
		}
		signal.addEventListener('abort', () => reject(signal.reason), { once: true });
	});
}

function workersFailed(failed: ReadonlyMap<ManagedWorker, string>, total: number): ShardctlError {
	const lines = [...failed].map(([{ label }, why]) => `  ${label}: ${why}`);
	const survivors = total - failed.size;
	const rest = survivors === 0 ? 'nothing is left running' : `the other ${survivors} run on`;
	return new ShardctlError('WORKERS_FAILED', `${failed.size} of ${total} workers were given up; ${rest}\n${lines.join('\n')}`, {
		details: {
			survivors,
			workers: [...failed.keys()].map(({ id, shardIds, child }) => ({
				workerId: id,
				shards: formatShardIds(shardIds),
				lastExit: child.lastExit,
			})),
		},
	});
}
