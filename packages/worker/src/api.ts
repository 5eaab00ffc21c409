// The public API of 'shardctl/worker'. Where possible, every function also works in a process that is not sharded: a bot is
// developed with `node bot.js` and runs under a manager later, unchanged.
import {
	type BotClient,
	type BotScript,
	type BroadcastEvalOptions,
	type CallAnswer,
	type CallArgs,
	type CallHandler,
	type CallName,
	type CallOptions,
	type CallResult,
	type CallTargetOf,
	type GatewayInfo,
	type RespawnAllOptions,
	type Serialized,
	ShardctlError,
	type ShardStats,
	type ValueAt,
} from '@shardctl/core';
import { FleetCalls } from './calls.js';
import type { ClientAdapter } from './client-adapter.js';
import { detectAdapter } from './detect-adapter.js';
import { currentRuntime, type Handler, type WorkerRuntime } from './runtime.js';
import type { ShutdownHandler } from './shutdown.js';

export interface ShardInfo {
	/** Whether this process is a worker of a manager. */
	sharded: boolean;
	/** The first of `shardIds`; null when not sharded. */
	shardId: number | null;
	shardIds: number[];
	/** 1 when not sharded. */
	totalShards: number;
	/** Guilds in the caches of the attached clients; 0 before they are ready. */
	guildCount: number;
	/** Base URL of the REST API that the manager was given, without a version; null when not sharded. */
	api: string | null;
	/** The manager's response from `GET /gateway/bot`; null when not sharded. */
	gateway: GatewayInfo | null;
}

/** Which shards this process runs, and the API's address. */
export function getShardInfo(): ShardInfo {
	const runtime = currentRuntime();
	if (!runtime) {
		return { sharded: false, shardId: null, shardIds: [], totalShards: 1, guildCount: 0, api: null, gateway: null };
	}
	const { shardIds, totalShards, api, gateway } = runtime.config;
	const guildCount = runtime.sampleShards().reduce((sum, shard) => sum + shard.guildCount, 0);
	return { sharded: true, shardId: shardIds[0] ?? null, shardIds: [...shardIds], totalShards, guildCount, api, gateway };
}

/**
 * Runs a script in every worker, or in the one that `shard` or `guildId` names: a function `(client, context) => …` or a string.
 * Resolves with one result per worker in shard order, a single one with a target.
 *
 * Rejects with `BROADCAST_FAILED` when a worker fails (`details.outcomes` has every outcome), unless `settle` requests the outcomes
 * as the result; with a target, with the error that the script threw. Also `SHARD_NOT_OWNED`, `CALL_TIMEOUT`, `CALL_CANCELLED`,
 * `WORKER_UNAVAILABLE`, `MANAGER_NOT_RUNNING`.
 */
export async function broadcastEval<Result, Context = undefined, Options extends CallOptions = CallOptions>(
	script: BotScript<Result, Context>,
	options: Options & BroadcastEvalOptions<Context> = {} as Options,
): Promise<CallResult<Options, Serialized<Result>>> {
	return fleet('broadcastEval').broadcastEval<Result, Context, Options>(script, options);
}

/** Reads a dotted path from the client of every worker, or of one. Rejects like {@link broadcastEval}. */
export async function fetchClientValues<Path extends string, Target extends number | CallOptions = CallOptions>(
	path: Path,
	target: Target = {} as Target,
): Promise<CallResult<CallTargetOf<Target>, Serialized<ValueAt<BotClient, Path>>>> {
	return fleet('fetchClientValues').fetchClientValues(path, target);
}

/** Calls a handler that the bot registered with {@link handle}, in every worker or in one. Rejects like {@link broadcastEval}. */
export async function call<Name extends CallName, Options extends CallOptions = CallOptions>(
	name: Name,
	args: CallArgs<Name> | [] = [],
	options: Options = {} as Options,
): Promise<CallResult<Options, CallAnswer<Name>>> {
	return fleet('call').call(name, args, options);
}

/** Replaces the worker that owns a shard; `true` once the new one is ready. */
export async function respawnShard(shardId: number): Promise<boolean> {
	return fleet('respawnShard').respawnShard(shardId);
}

/** Replaces every worker. */
export async function respawnAll(options: RespawnAllOptions = {}): Promise<void> {
	return fleet('respawnAll').respawnAll(options);
}

/** One entry per shard of the whole fleet. */
export async function getShardStats(options: { fresh?: boolean } = {}): Promise<ShardStats[]> {
	return fleet('getShardStats').getShardStats(options);
}

/** Registers the handler for {@link call}s of this name. No effect when not sharded. */
export function handle<Name extends CallName>(name: Name, handler: CallHandler<Name>): void {
	currentRuntime()?.handle(name, handler as Handler);
}

/** Runs before the process ends, while the client still works; awaited within the manager's grace. */
export function onShutdown(handler: ShutdownHandler): void {
	currentRuntime()?.onShutdown(handler);
}

/**
 * Attaches a client to the worker. Call it before the client connects: the client gets its slice of shards, each IDENTIFY waits
 * for its slot, and scripts run on it. Clients of `@discordjs/core`, `@discordjs/ws`, eris, oceanic.js and discord.js need no adapter.
 * discord.js clients are attached automatically, unless discord.js is bundled into the bot. No effect when not sharded.
 *
 * Throws `OPTIONS_INVALID` for a client of another library without an adapter.
 */
export function attach<Client extends object>(client: Client, adapter?: ClientAdapter<Client>): void {
	const runtime = currentRuntime();
	if (!runtime) return;
	runtime.attach(client, adapter ?? detectAdapter(client));
}

/**
 * Resolves when a shard may send IDENTIFY, which it must do immediately; resolves immediately when not sharded. For a bot with its
 * own gateway client. Rejects only with the signal's reason.
 */
export async function waitForIdentify(shardId: number, signal?: AbortSignal): Promise<void> {
	await currentRuntime()?.access.identify.wait(shardId, signal);
}

function fleet(what: string): FleetCalls {
	return new FleetCalls(runtimeOrThrow(what));
}

function runtimeOrThrow(what: string): WorkerRuntime {
	const runtime = currentRuntime();
	if (runtime) return runtime;
	throw new ShardctlError(
		'MANAGER_NOT_RUNNING',
		`${what}() needs a manager, and no manager started this process: run the bot with "shardctl start"`,
	);
}
