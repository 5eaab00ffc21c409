// Rules that every child process of the manager shares, workers and others alike.
import { ShardctlError } from '@shardctl/core';
import type { ExitReport, SupervisedChildOptions } from '@shardctl/supervisor';
import type { Logger } from 'pino';

/** How often a child is asked at most. */
const longestIntervalMs = 5000;

/** How long a child may take to close its inspector; it is asked again at the next heartbeat. */
export const closeInspectorMs = 5000;

/** Three heartbeats fit into the time after which a child counts as hung, so that one late answer is not its end. */
export function heartbeatOf(timeoutMs: number): SupervisedChildOptions['heartbeat'] {
	return { intervalMs: Math.min(longestIntervalMs, timeoutMs / 3), timeoutMs };
}

/** Logs what the manager's own listener of a child threw: one event of one child must not end the manager. */
export function ownerErrorLog(logger: Pick<Logger, 'error'>): (error: unknown) => void {
	return (error) => logger.error({ err: error }, 'the manager failed to handle an event of a process; please report this');
}

/** The error of every call that waits for a process when it ends. */
export function exitError(label: string, report: ExitReport): ShardctlError {
	return new ShardctlError('CHANNEL_CLOSED', `${label} ended before it answered: ${report.message}`, {
		details: { reason: report.reason, pid: report.pid },
	});
}
