// What follows when Discord refuses for good, by a fatal close code or by 401: the worker concerned ends, and no further IDENTIFY goes
// out. Once every worker has failed, the refusal is the fleet's.
import { describeRefusal, fatalClose, ShardctlError, type ShardReport } from '@shardctl/core';
import type { SessionStarts } from '../identify/session-starts.js';
import type { ManagedWorker } from './managed-worker.js';
import type { WorkerFleet } from './worker-fleet.js';

/** Discord's close code for a token that is not valid. */
const tokenRefused = 4004;

export interface RefusalPolicyOptions {
	starts: Pick<SessionStarts, 'refuse' | 'refusal'>;
	workers: Pick<WorkerFleet, 'workers' | 'decides'>;
	/** Whether gateway processes hold the sessions: what a worker is refused for then concerns that worker alone. */
	isResident: boolean;
	/** Discord has refused a worker. */
	onRefused(error: ShardctlError): void;
	/** Discord has refused, and no worker is left. */
	onAllFailed(error: ShardctlError): void;
}

export class RefusalPolicy {
	readonly #options: RefusalPolicyOptions;

	/** Why the present process of a worker was refused, by the worker's id; newest last. */
	readonly #refused = new Map<number, ShardctlError>();

	constructor(options: RefusalPolicyOptions) {
		this.#options = options;
	}

	/** Follows a worker for its whole life. */
	watch(worker: ManagedWorker): void {
		worker.child.on('spawned', () => this.#refused.delete(worker.id));
		worker.on('shard.status', (report) => this.#onStatus(worker, report));
		worker.child.on('failed', () => this.#onFailed());
	}

	/** Ends a worker whose session Discord will not have, whatever is tried. */
	refuse(worker: ManagedWorker, error: ShardctlError): void {
		const { starts, workers, onRefused } = this.#options;
		starts.refuse(error);
		// The token is the same for all: every other session ends as well, now or at its next IDENTIFY.
		const concerned = error.details.closeCode === tokenRefused ? workers.workers : [worker];
		for (const { child } of concerned) {
			if (child.state !== 'failed' || child.nextTryAt !== null) child.fail('fatal', error);
		}
		onRefused(error);
	}

	/** Ends a worker whose own process is at fault, whatever is tried. Where it holds sessions itself, no other IDENTIFY follows either. */
	refuseProcess(worker: ManagedWorker, error: ShardctlError): void {
		if (!this.#options.isResident) {
			this.refuse(worker, error);
			return;
		}
		this.#refused.set(worker.id, error);
		worker.child.fail('fatal', error);
		this.#options.onRefused(error);
	}

	/** Discord has refused all sessions of the fleet, whatever its workers do. */
	refuseFleet(error: ShardctlError): void {
		const { starts, onRefused, onAllFailed } = this.#options;
		starts.refuse(error);
		onRefused(error);
		onAllFailed(error);
	}

	#onStatus(worker: ManagedWorker, { shardId, status, closeCode }: ShardReport): void {
		// What the new process of a deploy is refused for ends the deploy, and nothing else.
		if (status !== 'disconnected' || closeCode === undefined || !fatalClose(closeCode)) return;
		if (!this.#options.workers.decides(worker)) return;
		this.refuseProcess(
			worker,
			new ShardctlError('DISCORD_FATAL', describeRefusal([shardId], closeCode), { details: { shardId, closeCode } }),
		);
	}

	#onFailed(): void {
		const { starts, workers, onAllFailed } = this.#options;
		const error = starts.refusal ?? [...this.#refused.values()].at(-1);
		if (error && workers.workers.every(({ child }) => child.state === 'failed')) onAllFailed(error);
	}
}
