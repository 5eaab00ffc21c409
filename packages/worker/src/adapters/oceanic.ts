// How shardctl sees and prepares a client of oceanic.js 1.
import type { ClientAdapter, WorkerAccess } from '../client-adapter.js';
import { field, hasMethods } from '../fields.js';
import { observeEmits } from '../observe-emits.js';
import { disconnection } from './disconnection.js';
import { gateIdentify, type IdentifyingShard } from './gated-identify.js';
import { logOut } from './log-out.js';
import { pingOf, sampleShards } from './shard-samples.js';

interface OceanicShard extends IdentifyingShard {
	latency: number;
}

export interface OceanicClient {
	rest: { options: { baseURL: string; host: string | null }; getGateway(): Promise<{ url: string }> };
	shards: Map<number, OceanicShard> & {
		options: {
			shardIDs: number[];
			maxShards: number;
			concurrency: number;
			/** Old versions, such as 1.6, have none. */
			override?: { getBot?: () => Promise<unknown>; timeBetweenShardConnects?: number };
		};
	};
	guilds: { values(): Iterable<{ shard?: { id: number }; memberCount: number }> };
	disconnect(reconnect: boolean): void;
}

export function isOceanicClient(client: unknown): client is OceanicClient {
	const shards = field(client, 'shards');
	// eris has its REST methods on the client.
	return hasMethods(shards, 'spawn', 'connect') && hasMethods(field(client, 'rest'), 'getGateway', 'getBotGateway');
}

export const oceanicAdapter: ClientAdapter<OceanicClient> = {
	library: 'oceanic.js',
	prepare(client, worker) {
		giveSlice(client, worker);
		pointTo(client, worker);
		// Emitted when a shard's socket is open, so before its first IDENTIFY.
		observeEmits(client, {
			connect: (shardId: number) => {
				const shard = client.shards.get(shardId);
				if (shard) gateIdentify(shard, worker);
			},
		});
	},
	observe: (client, report) =>
		observeEmits(client, {
			shardReady: (shardId: number) => report({ shardId, status: 'ready' }),
			shardResume: (shardId: number) => report({ shardId, status: 'resumed' }),
			shardDisconnect: (error: { code?: number } | undefined, shardId: number) => report(disconnection(shardId, error?.code)),
		}),
	sample: ({ shards, guilds }) =>
		sampleShards(
			Array.from(shards.values(), (shard) => [shard.id, pingOf(shard)] as const),
			guilds.values(),
			({ shard }) => shard?.id,
		),
	destroy: (client) => logOut(client.shards.values(), () => client.disconnect(false)),
};

function giveSlice({ shards: { options } }: OceanicClient, { shardIds, totalShards }: WorkerAccess): void {
	options.shardIDs = [...shardIds];
	options.maxShards = totalShards;
}

/** Serves the gateway information from the manager's response, and points oceanic's REST to the manager's API. */
function pointTo({ rest, shards }: OceanicClient, { api, gateway }: WorkerAccess): void {
	if (shards.options.override) overrideGateway(shards.options, shards.options.override, gateway);
	else {
		// With a number, oceanic requests the address alone. Its delay is between two shards of the same remainder: here, none.
		shards.options.concurrency = Number.POSITIVE_INFINITY;
		rest.getGateway = async () => ({ url: gateway.url });
	}
	const version = /\/v\d+$/.exec(rest.options.baseURL)?.[0] ?? '';
	rest.options.baseURL = api.replace(/\/$/, '') + version;
	rest.options.host = new URL(api).host;
}

type ShardOptions = OceanicClient['shards']['options'];

function overrideGateway(
	options: ShardOptions,
	override: NonNullable<ShardOptions['override']>,
	{ url, shards, session_start_limit: limit }: WorkerAccess['gateway'],
): void {
	override.getBot = async () => ({
		url,
		shards,
		sessionStartLimit: {
			total: limit.total,
			remaining: limit.remaining,
			resetAfter: limit.reset_after,
			maxConcurrency: limit.max_concurrency,
		},
	});
	// -1 means "auto"; with any other value oceanic does not request the gateway's address.
	options.concurrency = -1;
	// Disables its own delay between two shards; the gate paces them.
	override.timeBetweenShardConnects = 0;
}
