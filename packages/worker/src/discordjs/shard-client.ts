// `client.shard` in a worker: discord.js's ShardClientUtil with its documented API, answered by shardctl.
import type { RespawnAllOptions } from '@shardctl/core';
import { type BroadcastEvalOptions, type CallOptions, calls } from '../calls.js';
import type { Handler, WorkerRuntime } from '../runtime.js';
import type { DiscordClient, ShardClientUtilClass } from './library.js';

/**
 * Our class, made as a subclass of the bot's own ShardClientUtil, so that `instanceof` holds and what we do not replace (`ids`,
 * `count`, `send`) is discord.js's.
 */
export function shardClientClass(ShardClientUtil: ShardClientUtilClass, runtime: WorkerRuntime) {
	const { broadcastEval, fetchClientValues, call, respawnShard, respawnAll, getShardStats } = calls(runtime);

	return class ShardctlShardClient extends ShardClientUtil {
		constructor(client: DiscordClient) {
			// Without a mode the constructor of discord.js listens to nothing; with "process", `send` works.
			super(client, null);
			this.mode = 'process';
		}

		broadcastEval(script: unknown, options: BroadcastEvalOptions = {}): Promise<unknown> {
			return broadcastEval(script, options);
		}

		/** @param target A shard id, as discord.js has it, or options. */
		fetchClientValues(path: string, target?: number | CallOptions): Promise<unknown> {
			return fetchClientValues(path, typeof target === 'number' ? { shard: target } : target);
		}

		/** As in discord.js this resolves when the request is on its way: the worker that asks will itself be replaced. */
		async respawnAll({
			shardDelay = 0,
			rolling = true,
			parallel,
		}: { shardDelay?: number } & RespawnAllOptions = {}): Promise<void> {
			respawnAll({ rolling, delayMs: shardDelay, ...(parallel === undefined ? {} : { parallel }) }).catch((error: unknown) => {
				console.error('respawnAll failed:', error);
			});
		}

		call(name: string, args: unknown[] = [], options: CallOptions = {}): Promise<unknown> {
			return call(name, args, options);
		}

		handle(name: string, handler: Handler): void {
			runtime.handle(name, handler);
		}

		respawnShard(shardId: number): Promise<boolean> {
			return respawnShard(shardId);
		}

		getShardStats(options: { fresh?: boolean } = {}): Promise<unknown> {
			return getShardStats(options);
		}
	};
}
