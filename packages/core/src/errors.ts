// The one error class of the project and the closed set of its codes. The meaning of a code is defined here only;
// the README's table of codes is checked against it.
import type { WorkerOutcome } from './contract/calls.js';
import { describeShards } from './shards.js';

/** Every code a {@link ShardctlError} can carry, with its meaning. */
export const errorCodes = {
	OPTIONS_INVALID: 'one or more options are wrong; the message lists all of them',
	BOT_FILE_INVALID: 'the bot file is missing, a directory, cannot be read, or cannot run under a manager',
	TOKEN_MISSING: 'no bot token was given',
	TOKEN_INVALID: 'Discord answered 401: the token is wrong or was reset',
	API_UNREACHABLE: 'the Discord API did not answer, or not with what it documents',
	DISCORD_FATAL: 'Discord closed a session with a code that a retry cannot fix (4004, 4010 to 4014)',
	IDENTIFY_BUDGET: 'the day does not have enough session starts left for what was asked',
	MANAGER_RUNNING: 'a manager with this name is running already',
	MANAGER_NOT_RUNNING: 'no manager with this name is running',
	UNAUTHORIZED: 'the control API was asked without its token, or with a wrong one',
	FORBIDDEN: 'this client of the control API may not do that',
	STATE_DIR_UNUSABLE: 'no folder for the socket and the lock of a manager can be used',
	MANAGER_STOPPED: 'the manager was stopped, so the operation cannot finish',
	SHARD_NOT_OWNED: 'this manager does not own that shard',
	GUILD_NOT_FOUND: 'the bot is not in that guild',
	WORKER_UNAVAILABLE: 'the worker that should answer is not running',
	WORKERS_FAILED: 'one or more workers were given up by the restart policy',
	WORKER_NOT_READY: 'a worker did not become ready',
	BROADCAST_FAILED: 'at least one worker failed a call to all; every outcome is in details.outcomes',
	REMOTE_ERROR: 'the other side threw; its error is the cause',
	CALL_TIMEOUT: 'no answer came within the deadline',
	CALL_CANCELLED: 'the caller cancelled the call',
	CALL_LIMIT: 'too many calls are waiting for an answer',
	CHANNEL_CLOSED: 'the channel to the other process closed before the answer came',
	METHOD_NOT_FOUND: 'the other side has no handler of that name',
	MESSAGE_TOO_LARGE: 'a message is over the size limit of the channel',
	NOT_SERIALIZABLE: 'a value cannot travel between processes (a function, a symbol or a circular structure)',
	PROTOCOL_ERROR: 'the other side sent what the protocol does not allow',
	NOT_NODE: 'the worker is not a Node.js process, so it cannot do what was asked',
	CLIENT_NOT_ATTACHED: 'the bot has no client yet, or attach() was not called',
	UNSUPPORTED_LIBRARY: "attach() cannot drive this version of the bot's library; the message names those that work",
	SNAPSHOT_INVALID: 'the saved state of a shard is truncated, damaged or of another version',
	FENCED: 'another process has taken over the saved state, so this one may not change it',
	REDIS_UNAVAILABLE: 'Redis cannot be reached, or the connection broke before it answered',
	REDIS_REFUSED: 'Redis answered with an error',
	REDIS_UNSUITABLE: 'this Redis cannot carry a cluster or an event queue; the message lists why and what to do',
	CLUSTER_MISMATCH: 'the cluster in this Redis runs with other settings, another shard count or another version',
	NODE_NAME_TAKEN: 'a node of that name is in the cluster already',
	NODE_NOT_FOUND: 'the cluster has no live node of that name',
	NODE_DRAINING: 'that node is drained, so it takes no sessions',
	LAST_NODE: 'no other node of the cluster can take the sessions of that node',
	NOT_A_CLUSTER: 'the fleet runs on one machine, so it has no nodes',
	QUEUE_MISMATCH: 'the event queue in this Redis belongs to a fleet with another shard count',
	GATEWAY_UNAVAILABLE: 'no gateway process has that shard at the moment',
	RESHARD_COUNT: 'the fleet cannot be resharded to that number of sessions or shards',
	RESHARD_UNSUPPORTED: 'a fleet of this kind cannot be resharded while it runs',
	RESHARD_RUNNING: 'the fleet is being resharded',
	RESHARD_FAILED: 'sessions or workers could not be replaced; those that were not replaced serve their shards as before',
	ADDRESS_IN_USE: 'the port or socket to listen on is taken',
	INTERNAL: 'a fault in shardctl itself; please report it',
} as const;

export type ErrorCode = keyof typeof errorCodes;

export interface ShardctlErrorOptions {
	cause?: unknown;
	/** Structured facts for programs; never holds a secret. */
	details?: Record<string, unknown>;
}

const brand = Symbol.for('shardctl.error');
const ownFrame = /node:internal|node_modules[\\/](?:@shardctl|shardctl)[\\/]/;

/**
 * What every door of shardctl throws: a code for programs, a message for people (what happened, what was got, what to do),
 * the `cause`, and structured `details`.
 */
export class ShardctlError extends Error {
	readonly code: ErrorCode;
	readonly details: Record<string, unknown>;

	constructor(code: ErrorCode, message: string, options: ShardctlErrorOptions = {}) {
		super(message, 'cause' in options ? { cause: options.cause } : undefined);
		this.code = code;
		this.details = options.details ?? {};
		Object.defineProperty(this, brand, { value: true });
	}

	override get name(): string {
		return 'ShardctlError';
	}

	/** For `console.log`: a call to all workers that failed has one line for each worker, and of the stack only the bot's own frames. */
	[Symbol.for('nodejs.util.inspect.custom')](
		_depth: number,
		options: object,
		inspect: (value: unknown, options: object) => string,
	): string {
		const { outcomes } = this.details;
		if (!Array.isArray(outcomes)) return inspect(this, { ...options, customInspect: false });
		const frames = (this.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line) && !ownFrame.test(line));
		return [`${this.name} [${this.code}]: ${this.message}`, ...frames, ...(outcomes as WorkerOutcome[]).map(outcomeLine)].join(
			'\n',
		);
	}

	/** For `instanceof`, as {@link is}: the entry points of the package have copies of this class. */
	static override [Symbol.hasInstance](value: unknown): boolean {
		return ShardctlError.is(value);
	}

	/** Recognises an error of ours also when it comes from a second copy of the package. */
	static is(value: unknown): value is ShardctlError {
		return value instanceof Error && brand in value;
	}
}

/** The message of anything that was thrown: errors say their message, other values are shown as they are. */
export function messageOf(thrown: unknown): string {
	return thrown instanceof Error ? thrown.message : String(thrown);
}

/** `worker 1 (shard 1) is starting, so it cannot answer`: why a worker failed, with the worker named once. */
export function describeFailure(
	{ workerId, shardIds }: { workerId: number; shardIds: readonly number[] },
	reason: unknown,
): string {
	const worker = `worker ${workerId} (${describeShards(shardIds)})`;
	const message = messageOf(reason);
	return message.startsWith(`${worker} `) ? message : `${worker}: ${message}`;
}

function outcomeLine(outcome: WorkerOutcome): string {
	if (outcome.status === 'rejected') return `  ${describeFailure(outcome, outcome.reason)}`;
	return `  worker ${outcome.workerId} (${describeShards(outcome.shardIds)}): done`;
}
