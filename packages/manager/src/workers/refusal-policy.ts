// What follows when Discord refuses for good, by a fatal close code or by 401: the worker concerned ends, and no further IDENTIFY goes
// out. Once every worker has failed, the refusal is the fleet's.
import { fatalCloseCodes, ShardctlError, type ShardReport } from '@shardctl/core';
import type { SessionStarts } from '../identify/session-starts.js';
import type { ManagedWorker } from './managed-worker.js';
import type { WorkerFleet } from './worker-fleet.js';

export interface RefusalPolicyOptions {
	starts: Pick<SessionStarts, 'refuse' | 'refusal'>;
	workers: Pick<WorkerFleet, 'workers' | 'owns'>;
	/** Discord has refused a worker. */
	onRefused(error: ShardctlError): void;
	/** Discord has refused, and no worker is left. */
	onAllFailed(error: ShardctlError): void;
}

export class RefusalPolicy {
	readonly #options: RefusalPolicyOptions;

	constructor(options: RefusalPolicyOptions) {
		this.#options = options;
	}

	/** Follows a worker for its whole life. */
	watch(worker: ManagedWorker): void {
		worker.on('shard.status', (report) => this.#onStatus(worker, report));
		worker.child.on('failed', () => this.#onFailed());
	}

	/** Ends a worker whose session Discord will not have, whatever is tried. */
	refuse(worker: ManagedWorker, error: ShardctlError): void {
		const { starts, onRefused } = this.#options;
		starts.refuse(error);
		worker.child.fail('fatal', error);
		onRefused(error);
	}

	#onStatus(worker: ManagedWorker, { shardId, status, closeCode }: ShardReport): void {
		const why = status === 'disconnected' && closeCode !== undefined ? fatalCloseCodes.get(closeCode) : undefined;
		// What a process beside the worker is refused for ends its hand-over, and nothing else.
		if (why === undefined || !this.#options.workers.owns(worker)) return;
		this.refuse(
			worker,
			new ShardctlError('DISCORD_FATAL', `Discord closed shard ${shardId} with ${closeCode}: ${why}. Retrying cannot help`, {
				details: { shardId, closeCode },
			}),
		);
	}

	#onFailed(): void {
		const { starts, workers, onAllFailed } = this.#options;
		const error = starts.refusal;
		if (error && workers.workers.every(({ child }) => child.state === 'failed')) onAllFailed(error);
	}
}
