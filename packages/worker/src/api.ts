// The public API of 'shardctl/worker'. Where possible, every function also works in a process that is not sharded: a bot is
// developed with `node bot.js` and runs under a manager later, unchanged.
import { type CallHandler, type CallName, type FleetCalls, type GatewayInfo, ShardctlError } from '@shardctl/core';
import { WorkerCalls } from './calls.js';
import type { ClientAdapter } from './client-adapter.js';
import { detectAdapter } from './detect-adapter.js';
import { replaceShardClient } from './discordjs/hook.js';
import { isDiscordJsClient } from './discordjs/library.js';
import { watchedByDoctor } from './doctor-probe.js';
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
	/** The name of the node that this process runs on; null where the fleet is no cluster, and when not sharded. */
	node: string | null;
	/** Base URL of the REST API that the manager was given, without a version; null when not sharded. */
	api: string | null;
	/** The manager's response from `GET /gateway/bot`; null when not sharded. */
	gateway: GatewayInfo | null;
}

/** Which shards this process runs, where, and the API's address. */
export function getShardInfo(): ShardInfo {
	const runtime = currentRuntime();
	if (!runtime) {
		return { sharded: false, shardId: null, shardIds: [], totalShards: 1, guildCount: 0, node: null, api: null, gateway: null };
	}
	const { shardIds, totalShards, node = null, api, gateway } = runtime.config;
	const guildCount = runtime.sampleShards().reduce((sum, shard) => sum + shard.guildCount, 0);
	return { sharded: true, shardId: shardIds[0] ?? null, shardIds: [...shardIds], totalShards, guildCount, node, api, gateway };
}

/** See {@link FleetCalls}. */
export const broadcastEval: FleetCalls['broadcastEval'] = async (script, target) =>
	fleet('broadcastEval').broadcastEval(script, target);

/** See {@link FleetCalls}. */
export const fetchClientValues: FleetCalls['fetchClientValues'] = async (path, target) =>
	fleet('fetchClientValues').fetchClientValues(path, target);

/** Calls a handler that the bot registered with {@link handle}; see {@link FleetCalls}. */
export const call: FleetCalls['call'] = async (name, args, target) => fleet('call').call(name, args, target);

/** Replaces the worker that owns a shard; `true` once the new one is ready. */
export const respawnShard: FleetCalls['respawnShard'] = async (shardId) => fleet('respawnShard').respawnShard(shardId);

/** Replaces every worker. */
export const respawnAll: FleetCalls['respawnAll'] = async (options) => fleet('respawnAll').respawnAll(options);

/** One entry per shard of the fleet. */
export const getShardStats: FleetCalls['getShardStats'] = async (options) => fleet('getShardStats').getShardStats(options);

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
	if (runtime) {
		// A client of a library that was hooked is attached already.
		if (!runtime.isAttached(client) && isDiscordJsClient(client)) replaceShardClient(client, runtime);
		runtime.attach(client, adapter ?? detectAdapter(client));
		return;
	}
	const watched = watchedByDoctor();
	if (!watched) return;
	if (!adapter) detectAdapter(client);
	watched.add(client);
}

/**
 * Resolves when a shard may send IDENTIFY, which it must do immediately; resolves immediately when not sharded. For a bot with its
 * own gateway client. Rejects only with the signal's reason.
 */
export async function waitForIdentify(shardId: number, signal?: AbortSignal): Promise<void> {
	await currentRuntime()?.access.identify.wait(shardId, signal);
}

function fleet(what: string): FleetCalls {
	return new WorkerCalls(runtimeOrThrow(what));
}

function runtimeOrThrow(what: string): WorkerRuntime {
	const runtime = currentRuntime();
	if (runtime) return runtime;
	throw new ShardctlError(
		'MANAGER_NOT_RUNNING',
		`${what}() needs a manager, and no manager started this process: run the bot with "shardctl start"`,
	);
}
