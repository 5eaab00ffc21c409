// The calls that a bot can make to the rest of the fleet. The manager handles all of them.
import {
	type BotClient,
	type BotScript,
	type BroadcastEvalOptions,
	type CallAnswer,
	type CallArgs,
	type CallName,
	type CallOptions,
	type CallResult,
	type CallTargetOf,
	type ManagerMethods,
	type RespawnAllOptions,
	type Serialized,
	type ShardStats,
	scriptSource,
	type ValueAt,
} from '@shardctl/core';

/** This side waits longer than the call's deadline by this: the manager enforces the deadline, unless it does not reply at all. */
const managerMarginMs = 5000;

/** The part of the runtime that the calls need. */
export interface ManagerRequests {
	request<M extends keyof ManagerMethods & string>(
		method: M,
		params: ManagerMethods[M]['params'],
		options?: { timeoutMs?: number; signal?: AbortSignal },
	): Promise<ManagerMethods[M]['result']>;
}

export class FleetCalls {
	readonly #manager: ManagerRequests;

	constructor(manager: ManagerRequests) {
		this.#manager = manager;
	}

	/** Runs a script in every worker, or in the one that owns `shard` or `guildId`. One result per worker, in shard order. */
	async broadcastEval<Result, Context = undefined, Options extends CallOptions = CallOptions>(
		script: BotScript<Result, Context>,
		options: Options & BroadcastEvalOptions<Context> = {} as Options,
	): Promise<CallResult<Options, Serialized<Result>>> {
		const { context, ...rest }: BroadcastEvalOptions<Context> = options;
		return (await this.#ask('broadcastEval', { ...scriptSource(script), context }, rest)) as never;
	}

	/**
	 * Reads a dotted path off the client of every worker, or of one.
	 *
	 * @param target Options, or the shard to read from, as in discord.js.
	 */
	async fetchClientValues<Path extends string, Target extends number | CallOptions = CallOptions>(
		path: Path,
		target: Target = {} as Target,
	): Promise<CallResult<CallTargetOf<Target>, Serialized<ValueAt<BotClient, Path>>>> {
		const options: CallOptions = typeof target === 'number' ? { shard: target } : target;
		return (await this.#ask('fetchClientValues', { path }, options)) as never;
	}

	/** Calls a handler that the bot registered with `handle`, in every worker or in one. */
	async call<Name extends CallName, Options extends CallOptions = CallOptions>(
		name: Name,
		args: CallArgs<Name> | [] = [],
		options: Options = {} as Options,
	): Promise<CallResult<Options, CallAnswer<Name>>> {
		return (await this.#ask('call', { name, args }, options)) as never;
	}

	/** Replaces the worker that owns a shard; `true` once the new one is ready. A worker that replaces itself gets no reply. */
	respawnShard(shardId: number): Promise<boolean> {
		return this.#manager.request('respawnShard', { shardId }, { timeoutMs: Number.POSITIVE_INFINITY });
	}

	/** Replaces every worker. */
	async respawnAll(options: RespawnAllOptions = {}): Promise<void> {
		await this.#manager.request('respawnAll', options, { timeoutMs: Number.POSITIVE_INFINITY });
	}

	/** One entry per shard of the whole fleet; `fresh` requests new figures from every worker. */
	getShardStats(options: { fresh?: boolean } = {}): Promise<ShardStats[]> {
		return this.#manager.request('getShardStats', options);
	}

	async #ask<M extends 'broadcastEval' | 'fetchClientValues' | 'call'>(
		method: M,
		params: Omit<ManagerMethods[M]['params'], 'options'>,
		{ signal, ...options }: CallOptions,
	): Promise<unknown> {
		const { timeoutMs } = options;
		return this.#manager.request(method, { ...params, options } as ManagerMethods[M]['params'], {
			timeoutMs: timeoutMs === undefined ? Number.POSITIVE_INFINITY : timeoutMs + managerMarginMs,
			...(signal ? { signal } : {}),
		});
	}
}
