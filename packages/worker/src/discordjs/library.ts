// The parts of discord.js 14 that shardctl uses, as types of our own: the library belongs to the bot, so nothing is imported.

export interface DiscordClient {
	token: string | null;
	/** Null without `SHARDING_MANAGER` in the environment. */
	shard?: object | null;
	options: {
		shards?: number[] | 'auto';
		shardCount?: number;
		ws: {
			buildStrategy?: (manager: WebSocketManager) => unknown;
			buildIdentifyThrottler?: (manager: WebSocketManager) => unknown;
		};
	};
	/** Version 1 of @discordjs/rest, up to discord.js 14.11, has its options in the request manager. */
	rest: {
		options?: { api: string };
		requestManager?: { options: { api: string } };
		get(route: string, ...args: unknown[]): Promise<unknown>;
	};
	guilds: { cache: ReadonlyMap<string, { shardId: number; memberCount: number }> };
	ws: { shards: ReadonlyMap<number, { ping: number }> };
	destroy(): Promise<void>;
}

/** @discordjs/ws's manager as discord.js passes it to `ws.buildStrategy` and `ws.buildIdentifyThrottler`. */
export interface WebSocketManager {
	options: {
		rest: unknown;
		token: string;
		shardIds?: unknown;
		shardCount?: number | null;
		readyTimeout?: number | null;
		buildIdentifyThrottler?: (manager: WebSocketManager) => unknown;
		updateSessionInfo?: (shardId: number, session: unknown) => unknown;
	};
	fetchGatewayInformation(): Promise<{ session_start_limit: { max_concurrency: number } }>;
}

/** The parts of @discordjs/ws 0.8 and 1 that discord.js uses by default. */
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
	/** In mode `worker`. */
	parentPort?: object | null;
}

export interface DiscordJs {
	version: string;
	ShardClientUtil: ShardClientUtilClass;
	/** 14.0 has none. */
	DefaultRestOptions?: { api: string };
	WebSocketShard?: { prototype: unknown };
}

/** Whether the exports of a module are those of discord.js 14, or of a fork of it. */
export function isDiscordJs(exports: unknown): exports is DiscordJs {
	// 14.0 does not export DefaultRestOptions.
	return (
		hasOwn(exports, 'ShardClientUtil', 'DefaultRestOptions', 'version') ||
		(isAnyDiscordJs(exports) && exports.version.startsWith('14.'))
	);
}

/** Whether they are those of discord.js 11 to 13, or 15. */
export function isOtherDiscordJs(exports: unknown): exports is { version: string } {
	return isAnyDiscordJs(exports) && !isDiscordJs(exports);
}

/** Reads no property before the names say what it is: the exports of another module may be getters with effects. */
function isAnyDiscordJs(exports: unknown): exports is { version: string } {
	return hasOwn(exports, 'Client', 'ShardingManager', 'version') && typeof (exports as { version: unknown }).version === 'string';
}

function hasOwn(exports: unknown, ...names: string[]): boolean {
	return typeof exports === 'object' && exports !== null && names.every((name) => Object.hasOwn(exports, name));
}

/** Whether something is a discord.js client, by its shape. */
export function isDiscordJsClient(client: unknown): client is DiscordClient {
	const shape = client as { ws?: { shards?: unknown }; guilds?: { cache?: unknown }; options?: { ws?: unknown } } | null;
	return shape?.ws?.shards instanceof Map && shape.guilds?.cache instanceof Map && typeof shape.options?.ws === 'object';
}
