// `client.shard` in a worker: discord.js's ShardClientUtil with its documented API, served by shardctl.

import { parentPort } from 'node:worker_threads';
import { type FleetCalls, type RespawnAllOptions, readRespawnAllOptions } from '@shardctl/core';
import { WorkerCalls } from '../calls.js';
import type { Handler, WorkerRuntime } from '../runtime.js';
import type { DiscordClient, ShardClientUtilClass } from './library.js';

/** discord.js's options of respawnAll. The restart follows the manager's options; only the delay has an effect. */
interface DiscordJsRespawnAllOptions {
	/** Pause after a worker is ready and before the next one stops, in ms (default 0; in discord.js 5 s). */
	shardDelay?: number;
	/** Accepted without effect: a worker starts when its predecessor has exited and its identify slot is granted. */
	respawnDelay?: number;
	/** Accepted without effect: the manager's ready timeout applies. */
	timeout?: number;
}

/**
 * Our class, a subclass of the bot's own ShardClientUtil, so that `instanceof` holds and members that we do not replace (`ids`,
 * `count`, `send`) are discord.js's.
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
			// Without a mode the constructor of discord.js listens to nothing; with one, `send` works.
			super(client, null);
			this.mode = runtime.config.thread ? 'worker' : 'process';
			if (runtime.config.thread) this.parentPort = parentPort;
			// The client that is logged in: a bot may destroy its client and make a new one.
			Object.defineProperty(this, 'client', { get: () => runtime.client ?? client, configurable: true, enumerable: true });
		}

		/** As in discord.js this resolves when the request was sent: the calling worker is replaced as well. */
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
	/** Registers the handler for {@link FleetCalls.call}s of this name. */
	handle(name: string, handler: Handler): void;
};
