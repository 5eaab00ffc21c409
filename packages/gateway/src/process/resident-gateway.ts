// Everything that one gateway process holds: its sessions with Discord and their shards, the server that workers connect to, and the end of both.
import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { type Clock, type GatewayConfig, type GatewayNotice, type GatewayStats, ShardctlError } from '@shardctl/core';
import { GatewayServer } from '@shardctl/gateway-protocol';
import { LocalBackend } from '../downstream/local-backend.js';
import { LocalRest } from '../downstream/local-rest.js';
import { ResidentSession } from '../session/resident-session.js';
import type { ResidentShard } from '../shard/resident-shard.js';
import type { SnapshotStore } from '../snapshots/snapshot-store.js';

/**
 * Clients are asked for their heartbeats, and often. One whose own beat falls between a question and its answer takes the
 * connection for dead, so their own pace is as slow as can be.
 */
const heartbeats = { heartbeatIntervalMs: 24 * 60 * 60 * 1000, heartbeatAskAfterMs: 20_000, heartbeatTimeoutMs: 60_000 };
/** A worker that starts anew is back within this time; after it, its session is over. */
const sessionTtlMs = 60_000;

export interface ResidentGatewayOptions {
	brief: GatewayConfig;
	token: string;
	clock: Clock;
	store: SnapshotStore;
	waitForIdentify(session: number, signal: AbortSignal): Promise<void>;
	onIdentified(session: number): void;
	notice(notice: GatewayNotice): void;
}

export class ResidentGateway {
	readonly #options: ResidentGatewayOptions;
	readonly #sessions: readonly ResidentSession[];
	readonly #shards: ReadonlyMap<number, ResidentShard>;
	readonly #server: GatewayServer;
	readonly #http: Server;

	constructor(options: ResidentGatewayOptions) {
		const { brief, token, clock, store, notice } = options;
		this.#options = options;
		const { totalShards, sessions, gateway, compression, delivery, buffer } = brief;
		const sessionIds = new Set(brief.shardIds.map((shardId) => shardId % sessions));
		this.#sessions = Array.from(
			sessionIds,
			(id) =>
				new ResidentSession({
					id,
					sessions,
					shardIds: brief.shardIds.filter((shardId) => shardId % sessions === id),
					shardOptions: (shardId) => ({
						incarnation: brief.workers.find(({ shardIds }) => shardIds.includes(shardId))?.incarnation ?? 0,
						delivery,
						buffer,
						store,
						sessions: () => this.#server.sessions,
						resumeUrl: ({ incarnation }) => `${this.#url()}/worker/${incarnation}`,
					}),
					totalShards,
					token,
					gateway,
					compression,
					clock,
					waitForIdentify: (signal) => options.waitForIdentify(id, signal),
					onIdentified: () => options.onIdentified(id),
					notice,
				}),
		);
		this.#shards = new Map(this.#sessions.flatMap(({ shards }) => shards).map((shard) => [shard.id, shard]));
		const backend = new LocalBackend({
			token,
			totalShards,
			shards: this.#shards,
			clock,
			onRefused: (message) => notice({ shardIds: brief.shardIds, kind: 'worker:refused', message }),
			onFlood: (shardId) =>
				notice({
					shardIds: [shardId],
					kind: 'worker:flood',
					message: 'a worker sent more than 120 requests within a minute and was closed (4008)',
				}),
		});
		this.#server = new GatewayServer({
			backend,
			clock,
			sessionTtlMs,
			createSession: (session) => backend.createSession(session),
			// No limit on frames, since answers are asked for; requests to Discord have a limit of their own behind this.
			rules: { ...heartbeats, sendLimit: { limit: Number.POSITIVE_INFINITY, windowMs: 60_000 } },
		});
		const rest = new LocalRest({ api: brief.api, totalShards, gatewayUrl: () => this.#url() });
		this.#http = createServer((request, response) => rest.answer(request, response));
		this.#http.on('upgrade', (request, socket, head) => {
			socket.on('error', () => socket.destroy());
			this.#server.handleUpgrade(request, socket, head);
		});
	}

	/** Takes up what an earlier process left; workers may come then. Answers the port where they are to. */
	async start(): Promise<number> {
		const { port, epoch } = this.#options.brief;
		// The workers of another manager are gone: those of this one have been there since its first process.
		await Promise.all(this.#sessions.map((session) => session.restore({ withWorkers: epoch > 1 })));
		if (port === 0) await this.#listen();
		return this.#port;
	}

	/** A connection that the manager has taken for this process; nothing was read of it. */
	take(socket: Socket): void {
		this.#http.emit('connection', socket);
		socket.resume();
	}

	stats(): GatewayStats {
		const { user, system } = process.cpuUsage();
		return {
			rssBytes: process.memoryUsage.rss(),
			cpuSeconds: (user + system) / 1e6,
			sessions: this.#sessions.map((session) => session.stats()),
			shards: this.#options.brief.shardIds.map((id) => (this.#shards.get(id) as ResidentShard).stats()),
		};
	}

	/** The shards of these ids. Throws `SHARD_NOT_OWNED` for one that is not held here. */
	shards(shardIds: readonly number[]): ResidentShard[] {
		return shardIds.map((id) => {
			const shard = this.#shards.get(id);
			if (shard) return shard;
			throw new ShardctlError('SHARD_NOT_OWNED', `shard ${id} is not held by gateway process ${this.#options.brief.gatewayId}`);
		});
	}

	/** With `keepSessions` everything is left for the next process; else the sessions with Discord end. */
	async stop({ keepSessions }: { keepSessions: boolean }): Promise<void> {
		await Promise.all(this.#sessions.map((session) => session.stop({ keepSession: keepSessions })));
		for (const connection of this.#server.connections.values()) connection.terminate();
		this.#http.closeAllConnections();
		await new Promise<void>((resolve) => this.#http.close(() => resolve()));
	}

	#listen(): Promise<void> {
		return new Promise((resolve, reject) => {
			this.#http.once('error', reject);
			this.#http.listen(0, '127.0.0.1', () => {
				this.#http.off('error', reject);
				resolve();
			});
		});
	}

	get #port(): number {
		return this.#options.brief.port || (this.#http.address() as AddressInfo).port;
	}

	#url(): string {
		return `ws://127.0.0.1:${this.#port}`;
	}
}
