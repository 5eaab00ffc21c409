// Hooks an unmodified discord.js bot: `client.shard` becomes ours, its REST goes to the configured API, and each new client is
// attached. Both go through what discord.js exports.
import { createRequire } from 'node:module';
import type { WorkerRuntime } from '../runtime.js';
import { discordJsAdapter } from './adapter.js';
import type { DiscordClient, DiscordJs, GatewayLibrary } from './library.js';
import { onDiscordJsLoad } from './on-load.js';
import { shardClientClass } from './shard-client.js';

/** Hooks each copy of discord.js that the bot loads; costs nothing where it loads none. */
export function hookDiscordJs(runtime: WorkerRuntime): void {
	onDiscordJsLoad((library, file) => {
		// Also reaches a `new REST()` of the bot's own, for example in a script that registers its commands.
		library.DefaultRestOptions.api = runtime.config.api;
		hookShardClient(library, createRequire(file)('@discordjs/ws') as GatewayLibrary, runtime);
	});
}

/** `new Client()` asks `ShardClientUtil.singleton` for its `client.shard` when SHARDING_MANAGER is set. */
function hookShardClient(library: DiscordJs, gatewayLibrary: GatewayLibrary, runtime: WorkerRuntime): void {
	const ShardClient = shardClientClass(library.ShardClientUtil, runtime);
	let shard: InstanceType<typeof ShardClient> | undefined;
	library.ShardClientUtil.singleton = (client: DiscordClient) => {
		const first = shard === undefined;
		if (!first) client.emit('warn', 'this process has more than one client: client.shard belongs to the first');
		shard ??= new ShardClient(client);
		runtime.attach(client, discordJsAdapter({ version: library.version, gatewayLibrary, first }));
		return shard;
	};
}
