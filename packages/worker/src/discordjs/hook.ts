// Hooks a copy of discord.js 14: `client.shard` becomes ours, its REST goes to the configured API, and each new client is attached.
import { createRequire } from 'node:module';
import type { WorkerRuntime } from '../runtime.js';
import { discordJsAdapter } from './adapter.js';
import type { DiscordClient, DiscordJs, GatewayLibrary, ShardClientUtilClass } from './library.js';
import { gateOwnGatewayClient, hasOwnGatewayClient } from './own-gateway-client.js';
import { shardClientClass } from './shard-client.js';

/** @param file The library's main file. */
export function hookDiscordJs(library: DiscordJs, file: string, runtime: WorkerRuntime): void {
	if (library.DefaultRestOptions) library.DefaultRestOptions.api = runtime.config.api;
	const { WebSocketShard } = library;
	const connectsItself = hasOwnGatewayClient(WebSocketShard);
	if (connectsItself) gateOwnGatewayClient(WebSocketShard, runtime.access);
	// Beside an old copy another package's @discordjs/ws may be found.
	const gatewayLibrary = connectsItself ? undefined : gatewayLibraryOf(file);
	const ShardClient = shardClientClass(library.ShardClientUtil, runtime);
	let shard: InstanceType<typeof ShardClient> | undefined;
	// `new Client()` calls it for its `client.shard` when SHARDING_MANAGER is set.
	library.ShardClientUtil.singleton = (client: DiscordClient) => {
		const first = shard === undefined;
		shard ??= new ShardClient(client);
		runtime.attach(client, discordJsAdapter({ version: library.version, gatewayLibrary, first }));
		return shard;
	};
}

/** For a client out of a bundle, where the library's class was out of reach when the client was made. */
export function replaceShardClient(client: DiscordClient, runtime: WorkerRuntime): void {
	const { shard } = client;
	if (!shard) return;
	const ShardClient = shardClientClass(shard.constructor as ShardClientUtilClass, runtime);
	client.shard = new ShardClient(client);
}

/** The @discordjs/ws of this copy; undefined where it is out of reach. */
function gatewayLibraryOf(file: string): GatewayLibrary | undefined {
	try {
		return createRequire(file)('@discordjs/ws') as GatewayLibrary;
	} catch {
		return undefined;
	}
}
