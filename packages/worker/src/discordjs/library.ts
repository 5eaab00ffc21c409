// The parts of discord.js 14 that shardctl touches, as types of our own: the library is the bot's, not ours, so nothing of it
// is imported here; it is loaded from the bot's own folder.
import { createRequire } from 'node:module';

export interface DiscordClient {
	options: { shards?: number[] | 'auto'; shardCount?: number };
	guilds: { cache: ReadonlyMap<string, { shardId: number; memberCount: number }> };
	ws: { shards: ReadonlyMap<number, { ping: number }> };
	on(event: string, listener: (...args: never[]) => void): unknown;
	emit(event: string, ...args: unknown[]): boolean;
	destroy(): Promise<void>;
}

/** @discordjs/ws's manager as discord.js hands it to `ws.buildStrategy` and `ws.buildIdentifyThrottler`. */
export interface WebSocketManager {
	options: { rest: unknown };
	on(event: 'ready', listener: (...args: unknown[]) => void): unknown;
}

export interface ClientDefaults {
	rest: { api: string };
	ws: {
		buildStrategy?: (manager: WebSocketManager) => unknown;
		buildIdentifyThrottler?: (manager: WebSocketManager) => unknown;
	};
}

export interface ShardClientUtilClass {
	new (client: DiscordClient, mode: string | null): ShardClientUtilInstance;
	singleton(client: DiscordClient, mode: string): ShardClientUtilInstance;
}

export interface ShardClientUtilInstance {
	client: DiscordClient;
	mode: string;
}

export interface DiscordJs {
	version: string;
	ShardClientUtil: ShardClientUtilClass;
	Options: { createDefault(): ClientDefaults };
	DefaultRestOptions: { api: string };
}

export interface LoadedDiscordJs {
	library: DiscordJs;
	/** @discordjs/ws's own default strategy, from the copy that this discord.js uses. */
	SimpleShardingStrategy: new (
		manager: WebSocketManager,
	) => unknown;
}

/** Loads discord.js as the bot would; undefined when the bot has none. */
export function loadDiscordJs(botFile: string): LoadedDiscordJs | undefined {
	const require = createRequire(botFile);
	let entry: string;
	try {
		entry = require.resolve('discord.js');
	} catch {
		return undefined;
	}
	const { SimpleShardingStrategy } = createRequire(entry)('@discordjs/ws') as LoadedDiscordJs;
	return { library: require(entry) as DiscordJs, SimpleShardingStrategy };
}
