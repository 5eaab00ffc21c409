// How shardctl sees and prepares a client of eris (0.13 to 0.18) or of its fork Dysnomia.
import type { ClientRequest } from 'node:http';
import { Agent } from 'node:https';
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { ClientAdapter, WorkerAccess } from '../client-adapter.js';
import { field, hasMethods } from '../fields.js';
import { observeEmits } from '../observe-emits.js';
import { disconnection } from './disconnection.js';
import { gateIdentify, type IdentifyingShard } from './gated-identify.js';
import { logOut } from './log-out.js';
import { pingOf, sampleShards } from './shard-samples.js';
import { unsupported } from './unsupported.js';

interface ErisShard extends IdentifyingShard {
	latency: number;
	connect(): void;
}

interface ShardOptions {
	maxShards: number | 'auto';
	firstShardID: number;
	lastShardID: number;
}

/** Where requests go. Before 0.15 the handler itself has the fields, and its host is fixed. */
interface RequestOptions {
	domain?: string;
	baseURL: string;
	agent?: unknown;
}

export interface ErisClient {
	options: Partial<ShardOptions>;
	/** Dysnomia has the options of shards here. */
	shards: Map<number, ErisShard> & { spawn(id: number): void; connect(shard: ErisShard): void; options?: Partial<ShardOptions> };
	guilds: { values(): Iterable<{ shard?: { id: number }; memberCount: number }> };
	/** The user agent ends in the library's version. */
	requestHandler: { options?: RequestOptions; userAgent?: string } & Partial<RequestOptions>;
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
	const range = shards.options?.maxShards === undefined ? options : shards.options;
	range.maxShards = totalShards;
	range.firstShardID = shardIds[0] as number;
	range.lastShardID = shardIds.at(-1) as number;
	const spawn = shards.spawn.bind(shards);
	shards.spawn = (id) => {
		if (shardIds.includes(id)) spawn(id);
	};
}

/** Serves the gateway information from the manager's response, and points eris's REST to the manager's API. */
function pointTo(client: ErisClient, { api, gateway }: WorkerAccess): void {
	client.getGateway = async () => ({ ...gateway });
	client.getBotGateway = async () => ({ ...gateway });
	const options = requestOptions(client);
	const { protocol, hostname, port, pathname } = new URL(api);
	if (/^discord(?:app)?\.com$/.test(hostname)) return;
	const version = /\/v\d+$/.exec(options.baseURL)?.[0] ?? '';
	const tls = protocol !== 'http:';
	options.domain = hostname;
	options.baseURL = pathname.replace(/\/$/, '') + version;
	options.agent = new FixedAgent({ host: hostname, port: Number(port || (tls ? 443 : 80)), tls });
}

/** Throws `UNSUPPORTED_LIBRARY` for versions before 0.13: they cannot send intents, without which Discord accepts no IDENTIFY. */
function requestOptions({ requestHandler }: ErisClient): RequestOptions {
	if (requestHandler.options) return requestHandler.options;
	const [, version, minor] = /, (0\.(\d+)\.\d+)\)/.exec(requestHandler.userAgent ?? '') ?? [];
	if (minor === undefined || Number(minor) < 13) {
		throw unsupported({ name: 'eris', ...(version && { version }), supported: '0.13 and newer' });
	}
	return requestHandler as RequestOptions;
}

/**
 * eris always uses `node:https`, and old versions a fixed host. This agent opens every connection to the API that it was made for, and
 * names its host in each request.
 */
class FixedAgent extends Agent {
	readonly #target: { host: string; port: number; tls: boolean };

	constructor(target: { host: string; port: number; tls: boolean }) {
		super({ keepAlive: true });
		this.#target = target;
	}

	/** What node's http calls with a request whose headers are not sent yet; not in its types. */
	addRequest(request: ClientRequest, ...others: unknown[]): void {
		const { host, port } = this.#target;
		request.setHeader('Host', `${host}:${port}`);
		const { addRequest } = Agent.prototype as unknown as { addRequest(...args: unknown[]): void };
		addRequest.call(this, request, ...others);
	}

	override createConnection(): ReturnType<typeof connect> {
		const { host, port, tls } = this.#target;
		return tls ? connectTls({ host, port, servername: host }) : connect(port, host);
	}
}
