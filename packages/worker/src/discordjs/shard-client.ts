// `client.shard` in a worker: discord.js's ShardClientUtil with its documented API, answered by shardctl.
import { type FleetCalls, type RespawnAllOptions, readRespawnAllOptions } from '@shardctl/core';
import { WorkerCalls } from '../calls.js';
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
	const fleet = new WorkerCalls(runtime);

	return class ShardctlShardClient extends ShardClientUtil {
		readonly broadcastEval = fleet.broadcastEval;
		readonly fetchClientValues = fleet.fetchClientValues;
		readonly call = fleet.call;
		readonly respawnShard = fleet.respawnShard;
		readonly getShardStats = fleet.getShardStats;

		constructor(client: DiscordClient) {
			// Without a mode the constructor of discord.js listens to nothing; with "process", `send` works.
			super(client, null);
			this.mode = 'process';
		}

		/** As in discord.js this resolves when the request is on its way: the worker that asks will itself be replaced. */
		async respawnAll(options: DiscordJsRespawnAllOptions & RespawnAllOptions = {}): Promise<void> {
			fleet.respawnAll(respawnAllOptions(options)).catch((error: unknown) => {
				console.error('respawnAll failed:', error);
			});
		}

		handle(name: string, handler: Handler): void {
			runtime.handle(name, handler);
		}
	};
}

/** Throws `OPTIONS_INVALID`. */
function respawnAllOptions(options: DiscordJsRespawnAllOptions & RespawnAllOptions): RespawnAllOptions {
	// What is no object of options, such as the numbers of discord.js 12, is refused with its value.
	if (typeof options !== 'object' || options === null) return readRespawnAllOptions(options);
	const { shardDelay, respawnDelay: _, timeout: __, ...rest } = options;
	return readRespawnAllOptions({ ...(shardDelay === undefined ? {} : { delayMs: shardDelay }), ...rest });
}

/** What `client.shard` has beyond discord.js's own API, for a bot that declares it. */
export type ShardClientExtras = Pick<FleetCalls, 'call' | 'respawnShard' | 'getShardStats'> & {
	/** Registers what answers {@link FleetCalls.call}. */
	handle(name: string, handler: Handler): void;
};
