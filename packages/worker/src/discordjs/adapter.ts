// How shardctl observes and prepares a discord.js 14 client.
import { destroyShards } from '../adapters/destroy-shards.js';
import { sampleShards } from '../adapters/shard-samples.js';
import type { ClientAdapter, WorkerAccess } from '../client-adapter.js';
import { field } from '../fields.js';
import { gatewayInfoSource } from '../gateway-info-source.js';
import { createIdentifyThrottler } from '../identify-throttler.js';
import { observeEmits } from '../observe-emits.js';
import { keepSessionsThroughOutages } from '../session-keeper.js';
import type { DiscordClient, GatewayLibrary } from './library.js';
import { RunningHandlers } from './running-handlers.js';

export interface DiscordJsAdapterOptions {
	/** The bot's own version of discord.js. */
	version: string;
	/** The @discordjs/ws that it uses; undefined if it cannot be reached, as in a bundle. */
	gatewayLibrary: GatewayLibrary | undefined;
	/** Whether this is the first client of the process. A later one is the bot's new client, or another bot's: its token decides. */
	first: boolean;
}

export function discordJsAdapter({ version, gatewayLibrary, first }: DiscordJsAdapterOptions): ClientAdapter<DiscordClient> {
	let isOwnToken: WorkerAccess['isOwnToken'] = () => true;
	const handlers = new RunningHandlers();
	return {
		library: `discord.js ${version}`,
		prepare(client, worker) {
			isOwnToken = worker.isOwnToken;
			if (first) giveSlice(client, worker);
			prepareGateway(client, worker, gatewayLibrary);
			// Otherwise the library's own default is set already.
			const rest = client.rest.options ?? client.rest.requestManager?.options;
			if (!gatewayLibrary && rest) rest.api = worker.api;
		},
		observe(client, report) {
			handlers.watch(client);
			// The shards of another bot's client are not this fleet's.
			const ours = () => first || isOwnToken(client.token);
			observeEmits(client, {
				shardReady: (shardId: number) => ours() && report({ shardId, status: 'ready' }),
				shardReconnecting: (shardId: number) => ours() && report({ shardId, status: 'reconnecting' }),
				shardResume: (shardId: number) => ours() && report({ shardId, status: 'resumed' }),
				shardDisconnect: ({ code }: { code: number }, shardId: number) =>
					ours() && report({ shardId, status: 'disconnected', closeCode: code }),
			});
		},
		settle: () => handlers.finished(),
		sample: ({ ws, guilds }) =>
			sampleShards(
				Array.from(ws.shards, ([shardId, { ping }]) => [shardId, ping < 0 ? null : ping] as const),
				guilds.cache.values(),
				({ shardId }) => shardId,
			),
		destroy: (client) => destroyShards(field(client.ws, '_ws') ?? client.ws, () => client.destroy()),
	};
}

/**
 * discord.js reads the slice from the environment, unless the bot sets shards itself (`shards: 'auto'` is common). Those shards
 * would run once in every worker.
 */
function giveSlice({ options }: DiscordClient, { shardIds, totalShards }: WorkerAccess): void {
	const own = Array.isArray(options.shards) ? options.shards.join(',') : String(options.shards);
	if (own === shardIds.join(',') && options.shardCount === totalShards) return;
	console.error(
		`the bot sets shards (${own} of ${String(options.shardCount)}) of its own; under shardctl this process runs ` +
			`${shardIds.join(',')} of ${totalShards} instead. Remove "shards" and "shardCount" from the client's options`,
	);
	options.shards = [...shardIds];
	options.shardCount = totalShards;
}

/**
 * The throttler and the strategy that the bot passed to `new Client()` win; the slice and the gateway's address are ours all the same.
 * discord.js calls both functions at login, when the token is known.
 */
function prepareGateway(client: DiscordClient, worker: WorkerAccess, library: GatewayLibrary | undefined): void {
	const { ws } = client.options;
	ws.buildIdentifyThrottler ??= async (manager) => {
		if (worker.isOwnToken(manager.options.token) || !library) return createIdentifyThrottler(worker.identify, manager);
		const { session_start_limit: limit } = await manager.fetchGatewayInformation();
		return new library.SimpleIdentifyThrottler(limit.max_concurrency);
	};
	if (!library) {
		serveGatewayInfo(client, worker);
		return;
	}
	const { buildIdentifyThrottler, buildStrategy } = ws;
	ws.buildStrategy = (manager) => {
		if (worker.isOwnToken(manager.options.token)) {
			giveSlice(client, worker);
			manager.options.shardIds = [...worker.shardIds];
			manager.options.shardCount = worker.totalShards;
			// Otherwise each worker would request what the manager knows already, and a starting fleet would be rate limited.
			manager.options.rest = gatewayInfoSource(worker.gateway);
		}
		// discord.js 14.10 and 14.11 do not pass it on.
		manager.options.buildIdentifyThrottler = buildIdentifyThrottler;
		const strategy = buildStrategy ? buildStrategy(manager) : new library.SimpleShardingStrategy(manager);
		keepSessionsThroughOutages(manager.options, () => strategy);
		return strategy;
	};
}

/** A client that takes no strategy of ours (14.0 to 14.9, or bundled) requests the gateway's address by its REST object. */
function serveGatewayInfo(client: DiscordClient, worker: WorkerAccess): void {
	const { rest } = client;
	const { get } = rest;
	const info = gatewayInfoSource(worker.gateway);
	rest.get = (route, ...args) =>
		route === '/gateway/bot' && worker.isOwnToken(client.token) ? info.get() : get.call(rest, route, ...args);
}
