// Discord on real sockets for the equality test: one world per shard; each session of a shard gets the current state of that world and
// then everything that happens in it. The path identifies the client: `/direct`, or the gateway process's `/upstream`.

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { allIntents } from '@shardctl/core';
import {
	type ConnectionInfo,
	EncodedDispatch,
	type GatewayBackend,
	GatewayServer,
	type GatewaySession,
	type IdentifyAnswer,
	type IdentifyPayload,
} from '@shardctl/gateway-protocol';
import type { Dispatch, RawObject } from '../../src/state/raw.js';
import type { DiscordWorld } from './discord-world.js';

export type Way = 'direct' | 'upstream';

export class LiveDiscord implements GatewayBackend {
	/** Logins by way and shard. */
	readonly logins: Record<Way, number[]>;
	readonly #worlds: readonly DiscordWorld[];
	readonly #server: GatewayServer;
	readonly #http: Server;
	readonly #sessions = new Map<GatewaySession, Way>();
	/** Shards whose IDENTIFY waits. */
	readonly #closed = new Map<number, { open(): void; opened: Promise<void> }>();

	constructor(worlds: readonly DiscordWorld[]) {
		this.#worlds = worlds;
		this.logins = { direct: worlds.map(() => 0), upstream: worlds.map(() => 0) };
		const rules = { sendLimit: { limit: Number.POSITIVE_INFINITY, windowMs: 60_000 } };
		this.#server = new GatewayServer({ backend: this, rules, replay: { maxEvents: 1e6, maxBytes: 1e9, maxAgeMs: 1e9 } });
		this.#http = createServer((request, response) => {
			const way = request.url?.startsWith('/direct') ? 'direct' : 'upstream';
			response.setHeader('content-type', 'application/json');
			response.end(JSON.stringify(this.info(way)));
		});
		this.#http.on('upgrade', (request, socket, head) => {
			socket.on('error', () => socket.destroy());
			this.#server.handleUpgrade(request, socket, head);
		});
	}

	async open(): Promise<void> {
		await new Promise<void>((resolve) => this.#http.listen(0, '127.0.0.1', resolve));
	}

	async close(): Promise<void> {
		await this.#server.stop();
		this.#http.closeAllConnections();
		await new Promise((resolve) => this.#http.close(resolve));
	}

	/** Base URL of the REST API for one way: it serves `GET /gateway/bot` and nothing else. */
	api(way: Way): string {
		return `http://127.0.0.1:${this.#port}/${way}/api`;
	}

	info(way: Way) {
		const limit = { total: 1000, remaining: 1000, reset_after: 0, max_concurrency: this.#worlds.length };
		return { url: this.#url(way), shards: this.#worlds.length, session_start_limit: limit };
	}

	/** Sends to all sessions of a shard. */
	say(shardId: number, { t, d }: Dispatch): void {
		const event = EncodedDispatch.of(t, d);
		for (const session of this.#sessions.keys()) if (session.shardId === shardId) session.dispatch(event);
	}

	/** Breaks the connections of a shard's sessions on one way; they can be resumed. */
	drop(shardId: number, way: Way): void {
		for (const session of this.#of(shardId, way)) this.#server.connections.get(session.carrier?.id ?? 0)?.terminate();
	}

	/** Ends the sessions of a shard on one way for good. */
	end(shardId: number, way: Way): void {
		for (const session of this.#of(shardId, way)) this.#server.sessions.end(session, 'invalidated');
	}

	/** Blocks new sessions of this shard until the returned function is called. */
	holdIdentifies(shardId: number): () => void {
		let open!: () => void;
		const opened = new Promise<void>((resolve) => {
			open = resolve;
		});
		this.#closed.set(shardId, { open, opened });
		return () => {
			this.#closed.delete(shardId);
			open();
		};
	}

	/** The id of the session of a shard on one way; undefined if there is none. */
	sessionId(shardId: number, way: Way): string | undefined {
		return this.#of(shardId, way)[0]?.id;
	}

	authenticate(): boolean {
		return true;
	}

	grantedIntents(): number {
		return allIntents;
	}

	async identify(identify: IdentifyPayload): Promise<IdentifyAnswer> {
		await this.#closed.get(identify.shard?.[0] ?? 0)?.opened;
		return { accept: true };
	}

	sessionStarted(session: GatewaySession, { path }: ConnectionInfo): void {
		const way = path.startsWith('/direct') ? 'direct' : 'upstream';
		this.#sessions.set(session, way);
		(this.logins[way][session.shardId] as number)++;
		const [ready, ...guilds] = (this.#worlds[session.shardId] as DiscordWorld).login() as [Dispatch, ...Dispatch[]];
		const own = { session_id: session.id, resume_gateway_url: this.#url(way), shard: session.slot };
		session.dispatch(EncodedDispatch.of('READY', { ...(ready.d as RawObject), ...own }));
		for (const { t, d } of guilds) session.dispatch(EncodedDispatch.of(t, d));
	}

	sessionEnded(session: GatewaySession): void {
		this.#sessions.delete(session);
	}

	request(): void {}

	#of(shardId: number, way: Way): GatewaySession[] {
		return [...this.#sessions].flatMap(([session, its]) => (session.shardId === shardId && its === way ? [session] : []));
	}

	get #port(): number {
		return (this.#http.address() as AddressInfo).port;
	}

	#url(way: Way): string {
		return `ws://127.0.0.1:${this.#port}/${way}`;
	}
}
