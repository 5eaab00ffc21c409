// `client.shard` in a worker: discord.js's ShardClientUtil with its documented API, answered by shardctl.
import type { RespawnAllOptions } from '@shardctl/core';
import { FleetCalls } from '../calls.js';
import type { Handler, WorkerRuntime } from '../runtime.js';
import type { DiscordClient, ShardClientUtilClass } from './library.js';

/** discord.js's options of respawnAll. The restart itself follows the manager's options, so only the delay between two matters. */
interface DiscordJsRespawnAllOptions {
	/** Pause between one worker's being ready and the next one's end, in ms (default 0: discord.js waits 5 s). */
	shardDelay?: number;
	/** Taken and without effect: a worker starts when its predecessor is gone and its identify slot is there. */
	respawnDelay?: number;
	/** Taken and without effect: the manager's ready timeout holds. */
	timeout?: number;
}

/**
 * Our class, made as a subclass of the bot's own ShardClientUtil, so that `instanceof` holds and what we do not replace (`ids`,
 * `count`, `send`) is discord.js's.
 */
export function shardClientClass(ShardClientUtil: ShardClientUtilClass, runtime: WorkerRuntime) {
	const fleet = new FleetCalls(runtime);

	return class ShardctlShardClient extends ShardClientUtil {
		/** Fields, not methods, so that they keep their generic types and can be passed around. */
		readonly broadcastEval = fleet.broadcastEval.bind(fleet);
		readonly fetchClientValues = fleet.fetchClientValues.bind(fleet);
		readonly call = fleet.call.bind(fleet);
		readonly respawnShard = fleet.respawnShard.bind(fleet);
		readonly getShardStats = fleet.getShardStats.bind(fleet);

		constructor(client: DiscordClient) {
			// Without a mode the constructor of discord.js listens to nothing; with "process", `send` works.
			super(client, null);
			this.mode = 'process';
		}

		/** As in discord.js this resolves when the request is on its way: the worker that asks will itself be replaced. */
		async respawnAll({ shardDelay = 0, ...options }: DiscordJsRespawnAllOptions & RespawnAllOptions = {}): Promise<void> {
			const { rolling = true, parallel } = options;
			const request = { rolling, delayMs: options.delayMs ?? shardDelay, ...(parallel === undefined ? {} : { parallel }) };
			fleet.respawnAll(request).catch((error: unknown) => {
				console.error('respawnAll failed:', error);
			});
		}

		handle(name: string, handler: Handler): void {
			runtime.handle(name, handler);
		}
	};
}

/** What `client.shard` has beyond discord.js's own API, for a bot that declares it. */
export type ShardClientExtras = Pick<FleetCalls, 'call' | 'respawnShard' | 'getShardStats'> & {
	/** Registers what answers {@link FleetCalls.call}. */
	handle(name: string, handler: Handler): void;
};
