// What a manager does when a child process sends what the protocol does not allow, or what its own listener fails on: it ends the link to
// that one process, which is then replaced by the restart policy. The manager itself keeps running.
import { type Clock, messageOf, ShardctlError } from '@shardctl/core';
import type { Logger } from 'pino';

/** Requests with wrong params are refused. A process that sends more of them than this is ended. */
const maxRefused = 100;
/** Refused requests of one process are logged at most this often. */
const logIntervalMs = 10_000;

export interface ProtocolGuardOptions {
	/** For people: `worker 3 (shards 6-7)`. */
	label: string;
	logger: Pick<Logger, 'warn' | 'error'>;
	clock: Clock;
	/** Closes the conversation with the process and ends it. */
	end(error: ShardctlError): void;
}

/** The two callbacks of a peer whose other side is a process that may send anything; for one process. */
export function protocolGuard({ label, logger, clock, end }: ProtocolGuardOptions): {
	onProtocolError(error: ShardctlError, frame: { refused: boolean }): void;
	onListenerError(error: unknown, event: string): void;
} {
	let refused = 0;
	let logged = 0;
	let loggedAt = Number.NEGATIVE_INFINITY;
	return {
		onProtocolError(error, frame) {
			if (!frame.refused || ++refused > maxRefused) {
				end(error);
				return;
			}
			if (clock.monotonic() - loggedAt < logIntervalMs) return;
			loggedAt = clock.monotonic();
			const count = refused - logged;
			logged = refused;
			logger.warn(
				{ code: error.code, requests: count },
				`${label} sent ${count === 1 ? 'a request' : `${count} requests`} that the manager refused: ${error.message}`,
			);
		},
		onListenerError(error, event) {
			logger.error({ err: error, event }, `the manager failed to handle "${event}" of ${label}; please report this`);
			end(new ShardctlError('INTERNAL', `the manager failed to handle "${event}": ${messageOf(error)}`, { cause: error }));
		},
	};
}
