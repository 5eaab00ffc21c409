// The errors that a peer creates itself, each with the call it is about. The error codec handles what a handler threw.
import { ShardctlError } from '@shardctl/core';

export function channelClosed(options: { cause?: unknown } = {}): ShardctlError {
	return new ShardctlError('CHANNEL_CLOSED', 'the channel to the other process closed', options);
}

/** One error per call, so that each says which call it was. */
export function closedError(error: ShardctlError, method: string): ShardctlError {
	return new ShardctlError(error.code, `"${method}" got no reply: ${error.message}`, {
		cause: error,
		details: { ...error.details, method },
	});
}

export function cancelled(method: string, signal: AbortSignal): ShardctlError {
	return new ShardctlError('CALL_CANCELLED', `"${method}" was cancelled by the caller`, {
		cause: signal.reason,
		details: { method },
	});
}

export function timedOut(method: string, timeoutMs: number): ShardctlError {
	return new ShardctlError('CALL_TIMEOUT', `"${method}" got no reply within ${timeoutMs} ms`, {
		details: { method, timeoutMs },
	});
}

export function tooMany(what: string, method?: string): ShardctlError {
	return new ShardctlError('CALL_LIMIT', `${what}; wait for some to finish`, method === undefined ? {} : { details: { method } });
}

export function wrongTimeout(timeoutMs: unknown): ShardctlError {
	return new ShardctlError(
		'OPTIONS_INVALID',
		`timeoutMs must be a number of milliseconds, 0 or Infinity for none; got ${String(timeoutMs)}`,
	);
}

export function methodNotFound(method: string): ShardctlError {
	return new ShardctlError('METHOD_NOT_FOUND', `the other side has no handler for "${method}"`, { details: { method } });
}
