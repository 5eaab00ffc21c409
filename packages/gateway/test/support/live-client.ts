// A discord.js client on a real connection, whose cache can be compared with another's.
import { type Client, Events, Status } from 'discord.js';
import { forgetOutage, newClient } from './cached-client.js';

/** The private parts of discord.js through which a test can break a connection and see that its work is done. */
interface Insides {
	ws: {
		packetQueue: unknown[];
		_ws: { strategy: { shards: Map<number, ShardInsides> } } | null;
	};
}

interface ShardInsides {
	connection: { _socket: { destroy(): void } | null; on(event: 'error' | 'close', listener: () => void): void } | null;
	internalConnect(): Promise<void>;
}

export interface LiveClientOptions {
	/** Base URL of the REST API that returns the gateway's address. */
	api: string;
	shard: readonly [number, number];
	/** Guilds that have been in an outage. */
	outages: ReadonlySet<string>;
	/** Default: `token`. */
	token?: string;
}

export class LiveClient {
	readonly client: Client;
	readonly #shardId: number;
	#newestMark = 0;
	#hasBegun = false;
	#hasFailed = false;

	constructor({ api, shard: [shardId, shardCount], outages, token = 'token' }: LiveClientOptions) {
		this.#shardId = shardId;
		// As in a worker: an IDENTIFY waits for its slot only.
		const ws = { buildIdentifyThrottler: async () => ({ waitForIdentify: async () => {} }) };
		this.client = newClient({ rest: { api }, shards: [shardId], shardCount, ws });
		this.client.on(Events.Error, () => {});
		this.client.on(Events.ShardError, () => {});
		this.client.on(Events.Raw, ({ t, d }: { t: string; d: { id: string; mark?: number } }) => {
			if (t === 'GUILD_CREATE' && outages.has(d.id)) forgetOutage(this.client, d.id);
			if (t === 'READY') this.#beginSession();
			if (t === 'SHARDCTL_MARK') this.#newestMark = d.mark ?? 0;
		});
		this.client.login(token).catch(() => {
			this.#hasFailed = true;
		});
	}

	/** Its login has failed, which ends a bot. */
	get hasFailed(): boolean {
		return this.#hasFailed;
	}

	get isConnected(): boolean {
		return this.client.isReady() && this.client.ws.shards.get(this.#shardId)?.status === Status.Ready;
	}

	/** Whether everything through this mark is in the cache. */
	hasReached(mark: number): boolean {
		return this.#newestMark >= mark && this.isIdle;
	}

	/** Whether it is connected and has handled everything that it received. */
	get isIdle(): boolean {
		return this.isConnected && this.#insides.ws.packetQueue.length === 0;
	}

	/** Its progress, for the message of a failure. */
	get standing(): string {
		const shard = this.client.ws.shards.get(this.#shardId);
		const status = shard ? Status[shard.status] : 'no shard';
		return `${status}, at mark ${this.#newestMark}, ${this.#insides.ws.packetQueue.length} packets wait`;
	}

	/** Breaks its connection; it resumes by itself. */
	drop(): void {
		this.#shard?.connection?._socket?.destroy();
	}

	/** Ends it: with a log-out, or by breaking the connection as a killed process does. */
	async end({ kill = false } = {}): Promise<void> {
		if (kill) this.drop();
		// It removes its own listener, and a later error would be unhandled.
		this.#shard?.connection?.on('error', () => {});
		// discord.js connects again after destroy() where it was about to; the end of a worker's process prevents that.
		if (this.#shard) this.#shard.internalConnect = async () => {};
		// destroy() before READY never resolves: the reconnect that it starts removes its listener.
		const closed = new Promise<void>((resolve) => this.#shard?.connection?.on('close', resolve));
		await Promise.race([this.client.destroy(), closed]);
	}

	/**
	 * A client that has to start another session is compared as one that has just started. discord.js keeps data of the previous
	 * session, including what no longer exists, and would keep it with Discord itself.
	 */
	#beginSession(): void {
		if (this.#hasBegun) {
			this.client.guilds.cache.clear();
			this.client.channels.cache.clear();
		}
		this.#hasBegun = true;
	}

	get #shard(): ShardInsides | undefined {
		return this.#insides.ws._ws?.strategy.shards.get(this.#shardId);
	}

	get #insides(): Insides {
		return this.client as unknown as Insides;
	}
}
