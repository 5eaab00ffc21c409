// How shardctl sees and prepares a discord.js 14 client.
import { destroyShards } from '../adapters/destroy-shards.js';
import { sampleShards } from '../adapters/shard-samples.js';
import type { ClientAdapter, WorkerAccess } from '../client-adapter.js';
import { field } from '../fields.js';
import { gatewayInfoSource } from '../gateway-info-source.js';
import { createIdentifyThrottler } from '../identify-throttler.js';
import { keepSessionsThroughOutages } from '../session-keeper.js';
import type { DiscordClient, GatewayLibrary } from './library.js';
import { ListenersAtWork } from './listeners-at-work.js';

export interface DiscordJsAdapterOptions {
	/** The bot's own version of discord.js. */
	version: string;
	/** The @discordjs/ws that it uses; undefined where it is out of reach, as in a bundle. */
	gatewayLibrary: GatewayLibrary | undefined;
	/** Whether this is the bot's main client: a further one keeps the shards that it was made with. */
	first: boolean;
}

export function discordJsAdapter({ version, gatewayLibrary, first }: DiscordJsAdapterOptions): ClientAdapter<DiscordClient> {
	let isOwnToken: WorkerAccess['isOwnToken'] = () => true;
	const listeners = new ListenersAtWork();
	return {
		library: `discord.js ${version}`,
		prepare(client, worker) {
			isOwnToken = worker.isOwnToken;
			if (first) giveSlice(client, worker);
			prepareGateway(client, worker, gatewayLibrary);
			// Else the library's own default is set already.
			if (!gatewayLibrary) client.rest.options.api = worker.api;
		},
		observe(client, report) {
			listeners.watch(client);
			// A second client may be another bot's, whose shard 0 is none of ours.
			const ours = () => first || isOwnToken(client.token);
			client.on('shardReady', (shardId: number) => ours() && report({ shardId, status: 'ready' }));
			client.on('shardReconnecting', (shardId: number) => ours() && report({ shardId, status: 'reconnecting' }));
			client.on('shardResume', (shardId: number) => ours() && report({ shardId, status: 'resumed' }));
			client.on(
				'shardDisconnect',
				({ code }: { code: number }, shardId: number) => ours() && report({ shardId, status: 'disconnected', closeCode: code }),
			);
		},
		settle: () => listeners.finished(),
		sample: ({ ws, guilds }) =>
			sampleShards(
				Array.from(ws.shards, ([shardId, { ping }]) => [shardId, ping < 0 ? null : ping] as const),
				guilds.cache.values(),
				({ shardId }) => shardId,
			),
		destroy: (client) => destroyShards(field(client.ws, '_ws'), () => client.destroy()),
	};
}

/**
 * The slice comes from the environment already, unless the bot sets shards itself (`shards: 'auto'` is common). Obeying it would
 * run those shards once in every worker.
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

/** What the bot passed to `new Client()` itself wins. Both are asked when the client logs in, with the token that it uses. */
function prepareGateway({ options: { ws } }: DiscordClient, worker: WorkerAccess, library: GatewayLibrary | undefined): void {
	ws.buildIdentifyThrottler ??= async (manager) => {
		if (worker.isOwnToken(manager.options.token) || !library) return createIdentifyThrottler(worker.identify, manager);
		const { session_start_limit: limit } = await manager.fetchGatewayInformation();
		return new library.SimpleIdentifyThrottler(limit.max_concurrency);
	};
	if (!library) return;
	ws.buildStrategy ??= (manager) => {
		// A fleet that starts would ask Discord once per worker for what the manager knows, and be rate limited for it.
		if (worker.isOwnToken(manager.options.token)) manager.options.rest = gatewayInfoSource(worker.gateway);
		const strategy = new library.SimpleShardingStrategy(manager);
		keepSessionsThroughOutages(manager.options, () => strategy);
		return strategy;
	};
}
