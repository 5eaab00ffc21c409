// The status and the body of a response to what a route threw.
import { type ErrorCode, messageOf, ShardctlError } from '@shardctl/core';
import { plainJson } from '../routes/plain-json.js';

const statusOf: Partial<Record<ErrorCode, number>> = {
	OPTIONS_INVALID: 400,
	UNAUTHORIZED: 401,
	FORBIDDEN: 403,
	SHARD_NOT_OWNED: 404,
	GUILD_NOT_FOUND: 404,
	METHOD_NOT_FOUND: 404,
	NODE_NOT_FOUND: 404,
	NODE_DRAINING: 409,
	LAST_NODE: 409,
	NOT_A_CLUSTER: 400,
	RESHARD_COUNT: 400,
	RESHARD_UNSUPPORTED: 400,
	RESHARD_RUNNING: 409,
	MESSAGE_TOO_LARGE: 413,
	CALL_LIMIT: 429,
	WORKER_UNAVAILABLE: 503,
	MANAGER_STOPPED: 503,
	CALL_TIMEOUT: 504,
};

export interface ErrorResponse {
	status: number;
	body: { error: { code: string; message: string; details?: unknown } };
}

export function errorResponse(thrown: unknown): ErrorResponse {
	if (!ShardctlError.is(thrown)) return { status: 500, body: { error: { code: 'INTERNAL', message: messageOf(thrown) } } };
	const { code, message, details } = thrown;
	const more = Object.keys(details).length > 0 ? { details: plainJson(details) } : {};
	return { status: statusOf[code] ?? 500, body: { error: { code, message, ...more } } };
}
