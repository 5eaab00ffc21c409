// A worker as calls see it: a process of this manager, or later a worker of another machine.
import type { WorkerMethods } from '@shardctl/core';
import type { PreparedValue, RequestOptions, Settle } from '@shardctl/rpc';

/** The requests that calls make of a worker. */
export type CallMethod = 'eval' | 'fetchClientValue' | 'call';

export interface CallWorker {
	readonly id: number;
	/** Ascending. */
	readonly shardIds: readonly number[];
	/** For people: `worker 3 (shards 6-7)`. */
	readonly label: string;
	/** Counts the worker's processes. A script that one of them was sent has to be sent to the next one again. */
	readonly epoch: number;
	/**
	 * Sends a request to the process that is running now, and settles exactly once: at once with `WORKER_UNAVAILABLE` when there is
	 * none. The ids of scripts are this manager's: what forwards requests of several managers must keep them apart.
	 */
	ask<M extends CallMethod>(
		method: M,
		params: WorkerMethods[M]['params'] | PreparedValue,
		options: RequestOptions,
		settle: Settle<WorkerMethods[M]['result']>,
	): void;
}

/** The fleet as calls see it. */
export interface CallFleet<Worker extends CallWorker = CallWorker> {
	/** In order of their first shard. */
	readonly workers: readonly Worker[];
	/** 0 before the fleet has a plan. */
	readonly totalShards: number;
}
