// The calls into a fleet and their types: what a caller passes, and what it receives for which options. The same for code that has a
// manager and for a bot that runs in a worker.
import type { Serialized } from '../serialized.js';
import type { ShardStats } from './stats.js';
import type { RemoteCallOptions, RespawnAllOptions } from './worker.js';

declare global {
	/**
	 * What shardctl cannot know of a bot. Declare it once to have every call typed:
	 *
	 * @example
	 * declare global {
	 *   interface ShardctlTypes {
	 *     client: import('discord.js').Client<true>;
	 *     calls: { 'guild.prefix': (guildId: string) => Promise<string> };
	 *   }
	 * }
	 */
	interface ShardctlTypes {}
}

/** What the bot did not declare: only the bot knows it, and with `unknown` every script would have to cast. */
// biome-ignore lint/suspicious/noExplicitAny: see above.
type Undeclared = any;

/** The bot's client: as declared in {@link ShardctlTypes}, else anything. */
export type BotClient = ShardctlTypes extends { client: infer Client } ? Client : Undeclared;

type AnyCalls = Record<string, (...args: never[]) => unknown>;
/** The handlers of the bot: as declared in {@link ShardctlTypes}, else any name with any arguments. */
export type BotCalls = ShardctlTypes extends { calls: infer Calls extends AnyCalls }
	? Calls
	: Record<string, (...args: Undeclared[]) => unknown>;
export type CallName = Extract<keyof BotCalls, string>;
/** The arguments that go with a name. */
export type CallArgs<Name extends CallName> = Parameters<BotCalls[Name]>;
type NowOrLater<Value> = Value | Awaited<Value>;
/** What a handler of that name may be. */
export type CallHandler<Name extends CallName> = (...args: CallArgs<Name>) => NowOrLater<ReturnType<BotCalls[Name]>>;
/** What a call of that name returns. */
export type CallAnswer<Name extends CallName> = Serialized<Awaited<ReturnType<BotCalls[Name]>>>;

export interface CallOptions extends RemoteCallOptions {
	/** Cancels the call, also in the workers that are still working on it. */
	signal?: AbortSignal;
}

export interface BroadcastEvalOptions<Context = unknown> extends CallOptions {
	/** The script's second argument. */
	context?: Context;
}

/** A script: a function, which is sent as text and so cannot use variables of its surroundings, or a string. */
export type BotScript<Result, Context> =
	| ((client: BotClient, context: Serialized<Context>) => Result | PromiseLike<Result>)
	| string;

/**
 * The outcome of a call in one worker; in a cluster with the node that has it. `workerId` is -1 for all workers of a node that did not answer, where
 * it is not known which it has: in queue mode.
 */
export type WorkerOutcome<Value = unknown> =
	| { status: 'fulfilled'; value: Value; workerId: number; shardIds: readonly number[]; node?: string }
	| { status: 'rejected'; reason: unknown; workerId: number; shardIds: readonly number[]; node?: string };

type Answer<Options, Value> = Options extends { settle: true } ? WorkerOutcome<Value> : Value;
/** The result of a call: one value with a target, else one per worker in shard order; outcomes with `settle: true`. */
export type CallResult<Options, Value> = Options extends { shard: number } | { guildId: string }
	? Answer<Options, Value>
	: Answer<Options, Value>[];

/** A number in place of the options is a shard, as in discord.js's `fetchClientValues`. */
export type CallTargetOf<Target> = Target extends number ? { shard: number } : Target;

/** The type at a dotted path of the client, as far as the types are known. */
export type ValueAt<Root, Path extends string> = Path extends `${infer Key}.${infer Rest}`
	? Key extends keyof Root
		? ValueAt<Root[Key], Rest>
		: unknown
	: Path extends keyof Root
		? Root[Path]
		: unknown;

/**
 * The calls into a fleet. A manager has them, and inside a bot `shardctl/worker` and `client.shard`.
 *
 * `broadcastEval`, `fetchClientValues` and `call` go to every worker, or to the one that owns `shard` or `guildId`; a number in place
 * of the options is the shard. They resolve with one result per worker in shard order, or with a single one for a target.
 *
 * Without a target they reject with `BROADCAST_FAILED` when a worker fails (`details.outcomes` has every worker's outcome), unless
 * `settle` asks for the outcomes themselves; with a target, with what the worker failed with. Also `OPTIONS_INVALID`,
 * `SHARD_NOT_OWNED`, `CALL_TIMEOUT`, `CALL_CANCELLED`, `WORKER_UNAVAILABLE`; inside a bot `MANAGER_NOT_RUNNING`.
 */
export interface FleetCalls {
	/** Runs a script in workers: a function `(client, context) => …` or a string. */
	broadcastEval<Result, Context = undefined, Target extends number | CallOptions = CallOptions>(
		script: BotScript<Result, Context>,
		target?: Target & (number | BroadcastEvalOptions<Context>),
	): Promise<CallResult<CallTargetOf<Target>, Serialized<Result>>>;

	/** Reads a dotted path such as `guilds.cache.size` off the client of workers. */
	fetchClientValues<Path extends string, Target extends number | CallOptions = CallOptions>(
		path: Path,
		target?: Target,
	): Promise<CallResult<CallTargetOf<Target>, Serialized<ValueAt<BotClient, Path>>>>;

	/** Calls a handler that the bot registered with `handle(name, …)`. */
	call<Name extends CallName, Target extends number | CallOptions = CallOptions>(
		name: Name,
		args?: CallArgs<Name> | [],
		target?: Target,
	): Promise<CallResult<CallTargetOf<Target>, CallAnswer<Name>>>;

	/** Replaces the worker that owns a shard; `true` once it is ready again, `false` when it could not be. */
	respawnShard(shardId: number): Promise<boolean>;

	/**
	 * Replaces every worker, by default one at a time. Rejects with `WORKER_NOT_READY` when a new process ends before it is ready, and
	 * leaves the rest untouched.
	 */
	respawnAll(options?: RespawnAllOptions): Promise<void>;

	/** One entry per shard of the fleet; `fresh` asks every worker now instead of using what it reported last. */
	getShardStats(options?: { fresh?: boolean }): Promise<ShardStats[]>;
}
