// How shardctl sees and prepares a client of eris (0.17 and 0.18).
import { Agent } from 'node:https';
import { connect } from 'node:net';
import type { ClientAdapter, WorkerAccess } from '../client-adapter.js';
import { field, hasMethods } from '../fields.js';
import { observeEmits } from '../observe-emits.js';
import { disconnection } from './disconnection.js';
import { gateIdentify, type IdentifyingShard } from './gated-identify.js';
import { logOut } from './log-out.js';
import { pingOf, sampleShards } from './shard-samples.js';

interface ErisShard extends IdentifyingShard {
	latency: number;
	connect(): void;
}

export interface ErisClient {
	options: { maxShards: number | 'auto'; firstShardID: number; lastShardID: number; shardConcurrency: number | 'auto' };
	shards: Map<number, ErisShard> & { spawn(id: number): void; connect(shard: ErisShard): void };
	guilds: { values(): Iterable<{ shard?: { id: number }; memberCount: number }> };
	requestHandler: { options: { domain: string; baseURL: string; agent?: unknown } };
	getGateway(): Promise<unknown>;
	getBotGateway(): Promise<unknown>;
	disconnect(options: { reconnect: boolean }): void;
}

export function isErisClient(client: unknown): client is ErisClient {
	return hasMethods(field(client, 'shards'), 'spawn', 'connect', 'tryConnect') && field(client, 'requestHandler') !== undefined;
}

export const erisAdapter: ClientAdapter<ErisClient> = {
	library: 'eris',
	prepare(client, worker) {
		giveSlice(client, worker);
		pointTo(client, worker);
		// eris's own queue paces the identifies of this process only; the gate paces those of all processes.
		client.shards.connect = (shard) => {
			gateIdentify(shard, worker);
			shard.connect();
		};
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
	destroy: (client) => logOut(client.shards.values(), () => client.disconnect({ reconnect: false })),
};

/** eris takes a range of ids; a slice may have gaps, so ids outside it are skipped when shards are created. */
function giveSlice({ options, shards }: ErisClient, { shardIds, totalShards }: WorkerAccess): void {
	options.maxShards = totalShards;
	options.firstShardID = shardIds[0] as number;
	options.lastShardID = shardIds.at(-1) as number;
	const spawn = shards.spawn.bind(shards);
	shards.spawn = (id) => {
		if (shardIds.includes(id)) spawn(id);
	};
}

/** Serves the gateway information from the manager's response, and points eris's REST to the manager's API. */
function pointTo(client: ErisClient, { api, gateway }: WorkerAccess): void {
	client.getGateway = async () => ({ ...gateway });
	client.getBotGateway = async () => ({ ...gateway });
	const { protocol, hostname, port, pathname } = new URL(api);
	const { options } = client.requestHandler;
	if (hostname === options.domain) return;
	const version = /\/v\d+$/.exec(options.baseURL)?.[0] ?? '';
	options.domain = hostname;
	options.baseURL = pathname.replace(/\/$/, '') + version;
	options.agent = protocol === 'http:' ? new PlainAgent(hostname, Number(port || 80)) : new Agent({ port: Number(port || 443) });
}

/** eris always uses `node:https`; for an API without TLS, such as a simulator, the agent opens a plain socket. */
class PlainAgent extends Agent {
	readonly #host: string;
	readonly #port: number;

	constructor(host: string, port: number) {
		super({ keepAlive: true });
		this.#host = host;
		this.#port = port;
	}

	override createConnection(): ReturnType<typeof connect> {
		return connect(this.#port, this.#host);
	}
}
