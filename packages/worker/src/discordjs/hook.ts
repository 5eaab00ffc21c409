// Hooks an unmodified discord.js bot: `client.shard` becomes ours, its REST goes to the configured API, its gateway information
// comes from the manager, and each IDENTIFY waits for a slot of the manager. All four go through what discord.js exports.

import { gatewayInfoSource } from '../gateway-info-source.js';
import { createIdentifyThrottler } from '../identify-throttler.js';
import type { WorkerRuntime } from '../runtime.js';
import { discordJsAdapter } from './adapter.js';
import { type DiscordClient, type LoadedDiscordJs, loadDiscordJs } from './library.js';
import { shardClientClass } from './shard-client.js';

/** Installs the hooks where the bot has discord.js; does nothing where it has not. */
export function hookDiscordJs(runtime: WorkerRuntime): void {
	const loaded = loadDiscordJs(runtime.brief.botFile);
	if (!loaded) return;
	hookShardClient(loaded, runtime);
	hookRestBase(loaded, runtime);
	hookClientDefaults(loaded, runtime);
}

/** `new Client()` asks `ShardClientUtil.singleton` for its `client.shard` when SHARDING_MANAGER is set. */
function hookShardClient({ library }: LoadedDiscordJs, runtime: WorkerRuntime): void {
	const ShardClient = shardClientClass(library.ShardClientUtil, runtime);
	let first: InstanceType<typeof ShardClient> | undefined;
	library.ShardClientUtil.singleton = (client: DiscordClient) => {
		if (first) {
			client.emit('warn', 'this process has more than one client: client.shard belongs to the first');
			return first;
		}
		first = new ShardClient(client);
		runtime.attach(client, discordJsAdapter(library.version));
		warnOfOwnShards(client, runtime);
		return first;
	};
}

/** Also reaches a `new REST()` of the bot's own, for example in a script that registers its commands. */
function hookRestBase({ library }: LoadedDiscordJs, { brief }: WorkerRuntime): void {
	library.DefaultRestOptions.api = brief.api;
}

/** What a bot passes to `new Client()` itself still wins over these defaults. */
function hookClientDefaults({ library, SimpleShardingStrategy }: LoadedDiscordJs, runtime: WorkerRuntime): void {
	const createDefault = library.Options.createDefault;
	library.Options.createDefault = () => {
		const defaults = createDefault.call(library.Options);
		defaults.ws.buildIdentifyThrottler = (manager) => createIdentifyThrottler(runtime, manager);
		defaults.ws.buildStrategy = (manager) => {
			// A fleet that starts would ask Discord once per worker for what the manager knows, and be rate limited for it.
			manager.options.rest = gatewayInfoSource(runtime.brief.gateway);
			return new SimpleShardingStrategy(manager);
		};
		return defaults;
	};
}

function warnOfOwnShards(client: DiscordClient, { brief }: WorkerRuntime): void {
	const { shards, shardCount } = client.options;
	const own = Array.isArray(shards) ? shards.join(',') : String(shards);
	if (own === brief.shardIds.join(',') && shardCount === brief.totalShards) return;
	console.error(
		`the bot sets its own shards (${own} of ${String(shardCount)}), but this worker was given ${brief.shardIds.join(',')} of ` +
			`${brief.totalShards}: remove "shards" and "shardCount" from the client's options, or shards will run twice or not at all`,
	);
}
