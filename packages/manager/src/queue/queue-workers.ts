// The workers of a fleet with a queue: how many there are is decided here, while it runs. They have no shards, so one more or one less is no
// plan: their group divides the partitions among those that are there.
import { orAborted, ShardctlError } from '@shardctl/core';
import type { ManagedWorker } from '../workers/managed-worker.js';
import { watchStart, workersFailed } from '../workers/start-watch.js';
import type { WorkerFleet } from '../workers/worker-fleet.js';

/** More on one machine are a mistake. */
export const mostWorkers = 1000;

export interface QueueWorkersOptions {
	workers: WorkerFleet;
	/** Null in a fleet whose workers have the shards. */
	hasFile: boolean | null;
	totalShards(): number;
	/** Whether the fleet has started, and runs. */
	isRunning(): boolean;
	/** Restarts of all workers, deploys and this are one at a time. */
	inTurn(work: () => Promise<void>): Promise<void>;
	/** Aborts when the manager stops. */
	signal: AbortSignal;
}

export interface ScaleOutcome {
	/** How many workers there were, and are. */
	from: number;
	to: number;
}

export class QueueWorkers {
	readonly #options: QueueWorkersOptions;

	constructor(options: QueueWorkersOptions) {
		this.#options = options;
	}

	/**
	 * Resolves when the new workers are members of their group, or those that are too many have finished and left it. Rejects with
	 * `OPTIONS_INVALID`, with `WORKERS_FAILED` where new ones were given up; they are tried again; and with the signal's reason.
	 */
	async scale(count: number): Promise<ScaleOutcome> {
		const { hasFile, isRunning, inTurn, workers, signal } = this.#options;
		if (hasFile === null) {
			throw new ShardctlError(
				'OPTIONS_INVALID',
				'the number of workers follows from the shards (shardsPerWorker); only a fleet with gateway "queue" is scaled',
			);
		}
		if (!hasFile) {
			throw new ShardctlError('OPTIONS_INVALID', 'this fleet was started without a bot file, so it has no workers to scale');
		}
		if (!Number.isSafeInteger(count) || count < 1 || count > mostWorkers) {
			throw new ShardctlError(
				'OPTIONS_INVALID',
				`the number of workers must be a whole number from 1 to ${mostWorkers}, got ${count}`,
			);
		}
		if (!isRunning()) throw new ShardctlError('WORKER_UNAVAILABLE', 'the fleet is not running yet: scale it once it has started');
		let from = workers.workers.length;
		await inTurn(async () => {
			// The manager may have stopped while a deploy or a restart of all had its turn.
			signal.throwIfAborted();
			from = workers.workers.length;
			if (count > from) await this.#add(count - from);
			else await workers.remove(this.#newest(from - count));
		});
		return { from, to: count };
	}

	async #add(count: number): Promise<void> {
		const { workers, totalShards, signal } = this.#options;
		const taken = new Set(workers.workers.map(({ id }) => id));
		const ids: number[] = [];
		for (let id = 0; ids.length < count; id++) if (!taken.has(id)) ids.push(id);
		const slices = ids.map(() => []);
		const added = workers.create({ slices, totalShards: totalShards(), ids });
		const { outcome } = watchStart(added, signal);
		for (const { child } of added) child.start();
		const result = await orAborted(outcome, signal);
		if (result.failed.size > 0) throw workersFailed(result);
	}

	/** Those that were started last leave first. */
	#newest(count: number): ManagedWorker[] {
		return [...this.#options.workers.workers].sort((a, b) => b.id - a.id).slice(0, count);
	}
}
