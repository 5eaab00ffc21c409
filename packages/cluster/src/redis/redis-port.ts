// What the cluster needs of Redis, and no more, so that the client library can be exchanged. Calls have deadlines and are never queued
// while there is no connection: a late command is worth nothing to a lease.

/** A Lua script. It runs by its hash; the text is sent where Redis does not have it. */
export interface RedisScript {
	readonly name: string;
	readonly lua: string;
	/** Answers with Buffers instead of strings. */
	readonly binary?: boolean;
}

export type RedisArgument = string | number | Uint8Array;
export type RedisCommand = readonly [name: string, ...args: RedisArgument[]];

export interface RedisCallOptions {
	/** After this the call rejects with `CALL_TIMEOUT`. It may still have an effect. */
	timeoutMs?: number;
	/** A script that Redis will hardly have: its text is sent at once, which saves the question. */
	isRare?: boolean;
}

export interface RedisPort {
	/**
	 * Runs a script. Rejects with `REDIS_UNAVAILABLE` without a connection, with `CALL_TIMEOUT` at the deadline (in both cases the script may
	 * have run), and with `REDIS_REFUSED` where Redis answered with an error.
	 */
	script(
		script: RedisScript,
		keys: readonly string[],
		args: readonly RedisArgument[],
		options?: RedisCallOptions,
	): Promise<unknown>;
	/** Runs commands one after the other in one round trip, and answers with Buffers. Rejects as {@link script} does, also for one of them. */
	batch(commands: readonly RedisCommand[], options?: RedisCallOptions): Promise<unknown[]>;
	/**
	 * Calls the listener with each message of a channel, until the returned function is called. Messages are lost while there is no
	 * connection; `onGap` is called after each such time, when the subscription is in force again.
	 */
	subscribe(channel: string, listener: (message: Buffer) => void, onGap?: () => void): Promise<() => Promise<void>>;
	/** Resolves with the number of subscribers that Redis has passed the message to. */
	publish(channel: string, message: string | Uint8Array): Promise<number>;
	/** Ends the connections; calls that wait reject. Idempotent. */
	close(): Promise<void>;
}
