// What a bot may import from 'shardctl/worker'. Every function also works in a process that is not sharded, as far as that
// makes sense: a bot is developed with `node bot.js` and runs under a manager later, unchanged.
import { type RespawnAllOptions, ShardctlError } from '@shardctl/core';
import { type BroadcastEvalOptions, type CallOptions, calls } from './calls.js';
import type { ClientAdapter } from './client-adapter.js';
import { currentRuntime, type Handler, type ShutdownHandler, type WorkerRuntime } from './runtime.js';

export interface ShardInfo {
	/** Whether this process is a worker of a manager. */
	sharded: boolean;
	/** The first of `shardIds`; null when not sharded. */
	shardId: number | null;
	shardIds: number[];
	/** 1 when not sharded. */
	totalShards: number;
	/** Guilds that the attached client holds now; 0 before it is ready. */
	guildCount: number;
}

/** Which shards this process runs. */
export function getShardInfo(): ShardInfo {
	const runtime = currentRuntime();
	if (!runtime) return { sharded: false, shardId: null, shardIds: [], totalShards: 1, guildCount: 0 };
	const { shardIds, totalShards } = runtime.brief;
	const guildCount = runtime.sampleShards().reduce((sum, shard) => sum + shard.guildCount, 0);
	return { sharded: true, shardId: shardIds[0] ?? null, shardIds: [...shardIds], totalShards, guildCount };
}

/** Runs a script in every worker, or in the one that `shard` or `guildId` names. One result per worker, in shard order. */
export async function broadcastEval(script: unknown, options?: BroadcastEvalOptions): Promise<unknown> {
	return calls(runtimeOrThrow('broadcastEval')).broadcastEval(script, options);
}

/** Reads a dotted path off the client of every worker, or of one. */
export async function fetchClientValues(path: string, options?: CallOptions): Promise<unknown> {
	return calls(runtimeOrThrow('fetchClientValues')).fetchClientValues(path, options);
}

/** Calls a handler that the bot registered with {@link handle}, in every worker or in one. */
export async function call(name: string, args: unknown[] = [], options?: CallOptions): Promise<unknown> {
	return calls(runtimeOrThrow('call')).call(name, args, options);
}

/** Replaces the worker that owns a shard; `true` once the new one is ready. */
export async function respawnShard(shardId: number): Promise<boolean> {
	return calls(runtimeOrThrow('respawnShard')).respawnShard(shardId);
}

/** Replaces every worker. */
export async function respawnAll(options: RespawnAllOptions = {}): Promise<void> {
	await calls(runtimeOrThrow('respawnAll')).respawnAll(options);
}

/** One entry per shard of the whole fleet. */
export async function getShardStats(options?: { fresh?: boolean }): Promise<unknown> {
	return calls(runtimeOrThrow('getShardStats')).getShardStats(options);
}

/** Registers what answers {@link call}. Does nothing when not sharded: nobody could call. */
export function handle(name: string, handler: Handler): void {
	currentRuntime()?.handle(name, handler);
}

/** Runs before the process ends, while the client still works; awaited within the manager's grace. */
export function onShutdown(handler: ShutdownHandler): void {
	currentRuntime()?.onShutdown(handler);
}

/** Puts a client of a library other than discord.js under the manager's eyes. discord.js clients are attached by themselves. */
export function attach<Client>(client: Client, adapter: ClientAdapter<Client>): void {
	currentRuntime()?.attach(client, adapter);
}

function runtimeOrThrow(what: string): WorkerRuntime {
	const runtime = currentRuntime();
	if (runtime) return runtime;
	throw new ShardctlError(
		'MANAGER_NOT_RUNNING',
		`${what}() needs a manager, and this process was not started by one: run the bot with "shardctl start"`,
	);
}
