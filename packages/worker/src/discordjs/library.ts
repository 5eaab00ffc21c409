// The parts of discord.js 14 that shardctl touches, as types of our own: the library is the bot's, not ours, so nothing of it
// is imported here.

export interface DiscordClient {
	token: string | null;
	options: {
		shards?: number[] | 'auto';
		shardCount?: number;
		ws: {
			buildStrategy?: (manager: WebSocketManager) => unknown;
			buildIdentifyThrottler?: (manager: WebSocketManager) => unknown;
		};
	};
	rest: { options: { api: string } };
	guilds: { cache: ReadonlyMap<string, { shardId: number; memberCount: number }> };
	ws: { shards: ReadonlyMap<number, { ping: number }> };
	on(event: string, listener: (...args: never[]) => void): unknown;
	emit(event: string, ...args: unknown[]): boolean;
	destroy(): Promise<void>;
}

/** @discordjs/ws's manager as discord.js hands it to `ws.buildStrategy` and `ws.buildIdentifyThrottler`. */
export interface WebSocketManager {
	options: {
		rest: unknown;
		token: string;
		readyTimeout?: number | null;
		updateSessionInfo?: (shardId: number, session: unknown) => unknown;
	};
	fetchGatewayInformation(): Promise<{ session_start_limit: { max_concurrency: number } }>;
	on(event: 'ready', listener: (...args: unknown[]) => void): unknown;
}

/** The parts of @discordjs/ws 1 that stand behind discord.js's defaults. */
export interface GatewayLibrary {
	SimpleShardingStrategy: new (manager: WebSocketManager) => unknown;
	SimpleIdentifyThrottler: new (maxConcurrency: number) => unknown;
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
	DefaultRestOptions: { api: string };
}

/** Whether something is a discord.js client, told by its shape. */
export function isDiscordJsClient(client: unknown): client is DiscordClient {
	const shape = client as { ws?: { shards?: unknown }; guilds?: { cache?: unknown }; options?: { ws?: unknown } } | null;
	return shape?.ws?.shards instanceof Map && shape.guilds?.cache instanceof Map && typeof shape.options?.ws === 'object';
}
