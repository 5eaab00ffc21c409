// The types of a call into the fleet: what goes in, and what comes back for which options. The same for a manager and a worker.

import type { Serialized } from '../serialized.js';
import type { RemoteCallOptions } from './worker.js';

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
/** What a call of that name answers. */
export type CallAnswer<Name extends CallName> = Serialized<Awaited<ReturnType<BotCalls[Name]>>>;

export interface CallOptions extends RemoteCallOptions {
	/** Cancels the call; workers that still work on it are told. */
	signal?: AbortSignal;
}

export interface BroadcastEvalOptions<Context = unknown> extends CallOptions {
	/** Handed to the script as its second argument. */
	context?: Context;
}

/** A script: a function that is sent as text (so it sees nothing of what surrounds it), or a text. */
export type BotScript<Result, Context> =
	| ((client: BotClient, context: Serialized<Context>) => Result | PromiseLike<Result>)
	| string;

/** What became of a call in one worker. */
export type WorkerOutcome<Value = unknown> =
	| { status: 'fulfilled'; value: Value; workerId: number; shardIds: readonly number[] }
	| { status: 'rejected'; reason: unknown; workerId: number; shardIds: readonly number[] };

type Answer<Options, Value> = Options extends { settle: true } ? WorkerOutcome<Value> : Value;
/** The answer of a call: one with a target, else one per worker in shard order; outcomes with `settle: true`. */
export type CallResult<Options, Value> = Options extends { shard: number } | { guildId: string }
	? Answer<Options, Value>
	: Answer<Options, Value>[];

/** A target in discord.js's way, where a number is a shard, as options. */
export type CallTargetOf<Target> = Target extends number ? { shard: number } : Target;

/** The type at a dotted path of the client, as far as types tell. */
export type ValueAt<Root, Path extends string> = Path extends `${infer Key}.${infer Rest}`
	? Key extends keyof Root
		? ValueAt<Root[Key], Rest>
		: unknown
	: Path extends keyof Root
		? Root[Path]
		: unknown;
