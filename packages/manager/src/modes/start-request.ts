// Who wants to start a session with Discord, in the terms of the identify budget.
import type { ShardctlError } from '@shardctl/core';
import type { SupervisedChild } from '@shardctl/supervisor';
import type { EmitFleetEvent } from '../events.js';
import type { LossLedger } from '../health/loss-ledger.js';
import type { SessionStarts, StartRequest } from '../identify/session-starts.js';
import type { ManagedWorker } from '../workers/managed-worker.js';

/** What both modes know of the manager. */
export interface ModeContext {
	starts: SessionStarts;
	/** Whether the start of the fleet has ended. */
	isRunning(): boolean;
	/** Discord has refused for good while a worker wanted to start. */
	onRefused(worker: ManagedWorker, error: ShardctlError): void;
	/** Discord has refused every session for good, or the token, which is the same for all. */
	onFleetRefused(error: ShardctlError): void;
	emit: EmitFleetEvent;
	losses: Pick<LossLedger, 'noteEvents' | 'noteSession'>;
	/** Records the processes of a child, for a later manager to find what this one may leave behind. */
	watchProcess?(child: SupervisedChild): void;
}

/** The first start of each worker, and a restart that was requested, may spend the whole budget. */
export function startRequest(
	{ isRunning, onRefused, emit }: ModeContext,
	worker: ManagedWorker,
	{ restart }: { restart: boolean },
): StartRequest {
	return {
		automatic: (restart || isRunning()) && !worker.restartRequested,
		onRefused: (error) => onRefused(worker, error),
		onDeferred: ({ remaining, resetAt }) =>
			emit('identify:deferred', { workerId: worker.id, shardIds: worker.shardIds, remaining, resetAt }),
	};
}
