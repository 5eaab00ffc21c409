// How shardctl sees and prepares a client of eris (0.17 and 0.18).
import { Agent } from 'node:https';
import { connect } from 'node:net';
import type { ShardSample } from '@shardctl/core';
import type { ClientAdapter, WorkerAccess } from '../client-adapter.js';
import { disconnection } from './disconnection.js';
import { field, hasMethods } from './fields.js';
import { gateIdentify, type IdentifyingShard } from './gated-identify.js';
import { logOut } from './log-out.js';

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
	on(event: 'connect' | 'shardReady' | 'shardResume', listener: (shardId: number) => void): unknown;
	on(event: 'shardDisconnect', listener: (error: { code?: number } | undefined, shardId: number) => void): unknown;
}

export function isErisClient(client: unknown): client is ErisClient {
	return hasMethods(field(client, 'shards'), 'spawn', 'connect', 'tryConnect') && field(client, 'requestHandler') !== undefined;
}

export const erisAdapter: ClientAdapter<ErisClient> = {
	library: 'eris',
	prepare(client, worker) {
		giveSlice(client, worker);
		pointTo(client, worker);
		// eris's own queue paces by what this process alone has done; the gate knows all of them.
		client.shards.connect = (shard) => {
			gateIdentify(shard, worker);
			shard.connect();
		};
	},
	observe(client, report) {
		client.on('shardReady', (shardId) => report({ shardId, status: 'ready' }));
		client.on('shardResume', (shardId) => report({ shardId, status: 'resumed' }));
		client.on('shardDisconnect', (error, shardId) => report(disconnection(shardId, error?.code)));
	},
	sample(client) {
		const samples = new Map<number, ShardSample>();
		for (const { id: shardId, latency } of client.shards.values()) {
			samples.set(shardId, { shardId, guildCount: 0, userCount: 0, ping: Number.isFinite(latency) ? latency : null });
		}
		for (const { shard, memberCount } of client.guilds.values()) {
			const sample = shard && samples.get(shard.id);
			if (!sample) continue;
			sample.guildCount++;
			sample.userCount += memberCount;
		}
		return [...samples.values()];
	},
	destroy: (client) => logOut(client.shards.values(), () => client.disconnect({ reconnect: false })),
};

/** eris wants a range of ids; a slice may have gaps, so what is not in it is left out where shards are made. */
function giveSlice({ options, shards }: ErisClient, { shardIds, totalShards }: WorkerAccess): void {
	options.maxShards = totalShards;
	options.firstShardID = shardIds[0] as number;
	options.lastShardID = shardIds.at(-1) as number;
	const spawn = shards.spawn.bind(shards);
	shards.spawn = (id) => {
		if (shardIds.includes(id)) spawn(id);
	};
}

/** The manager has asked for the gateway already, and eris's REST goes where the manager's goes. */
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

/** eris always speaks through `node:https`; for an API without TLS, such as a simulator, the agent opens a plain socket for it. */
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
