// A requested replacement of a worker's process by ending it and starting the next.
import { ShardctlError } from '@shardctl/core';
import type { RestartOptions } from '../workers/bot-version.js';
import type { ManagedWorker } from '../workers/managed-worker.js';

/** Rejects with `WORKER_NOT_READY` and the reason where the new process does not become ready. */
export async function restartOrReject(worker: ManagedWorker, reason: string, options: RestartOptions): Promise<void> {
	if (await worker.restart(reason, options)) return;
	const { id: workerId, shardIds, label, child } = worker;
	throw new ShardctlError(
		'WORKER_NOT_READY',
		`${label} did not become ready again: ${child.lastExit?.message ?? `it is ${child.state}`}`,
		{ details: { workerId, shardIds } },
	);
}
