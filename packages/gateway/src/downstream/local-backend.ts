// What stands behind the local gateway: checks who a worker is and which shard it wants, and leaves the rest to that shard.
import { createHash, timingSafeEqual } from 'node:crypto';
import { allIntents, type Clock } from '@shardctl/core';
import {
	type ClientRequest,
	type ConnectionInfo,
	type GatewayBackend,
	type GatewaySession,
	type IdentifyAnswer,
	type IdentifyPayload,
	RateWindow,
	type SessionOptions,
} from '@shardctl/gateway-protocol';
import type { ResidentShard } from '../shard/resident-shard.js';
import { WorkerSession } from './worker-session.js';

/** As many requests as Discord itself takes from a connection, so that a worker learns of a flood here. */
const requestLimit = { limit: 120, windowMs: 60_000 };

export interface LocalBackendOptions {
	token: string;
	totalShards: number;
	shards: ReadonlyMap<number, ResidentShard>;
	clock: Clock;
	/** Told of an IDENTIFY or RESUME that was refused for its token or shard. */
	onRefused(detail: string): void;
	/** A session sent so many requests that it was closed. */
	onFlood(shardId: number): void;
}

export class LocalBackend implements GatewayBackend {
	readonly #options: LocalBackendOptions;
	readonly #token: Buffer;
	readonly #requests = new WeakMap<GatewaySession, RateWindow>();

	constructor(options: LocalBackendOptions) {
		this.#options = options;
		this.#token = digest(options.token);
	}

	authenticate(token: string): boolean {
		const good = timingSafeEqual(digest(token.replace(/^Bot /, '')), this.#token);
		if (!good) this.#options.onRefused('a client came with a wrong token');
		return good;
	}

	/** What Discord has granted shows when the session starts. */
	grantedIntents(): number {
		return allIntents;
	}

	createSession(options: SessionOptions): GatewaySession {
		const shard = this.#options.shards.get(options.identify.shard?.[0] ?? 0) as ResidentShard;
		return new WorkerSession(options, shard.stream);
	}

	identify(identify: IdentifyPayload, connection: ConnectionInfo): IdentifyAnswer | Promise<IdentifyAnswer> {
		const [id, count] = identify.shard ?? [0, 1];
		const shard = count === this.#options.totalShards ? this.#options.shards.get(id) : undefined;
		if (shard) return shard.identify(identify, incarnationOf(connection));
		const detail = `shard [${id}, ${count}] is not held here`;
		this.#options.onRefused(detail);
		return { accept: false, close: 4010, detail };
	}

	sessionStarted(session: GatewaySession, connection: ConnectionInfo): void {
		this.#shardOf(session)?.sessionStarted(session as WorkerSession, incarnationOf(connection));
	}

	sessionResumed(session: GatewaySession): void {
		this.#shardOf(session)?.sessionResumed();
	}

	sessionDetached(session: GatewaySession): void {
		this.#shardOf(session)?.stream.detached(session as WorkerSession);
	}

	sessionEnded(session: GatewaySession): void {
		this.#shardOf(session)?.sessionEnded(session as WorkerSession);
	}

	heartbeat(session: GatewaySession, seq: number | null): void {
		this.#shardOf(session)?.stream.heartbeat(session as WorkerSession, seq);
	}

	request(session: GatewaySession, request: ClientRequest): void {
		let requests = this.#requests.get(session);
		if (!requests) {
			requests = new RateWindow({ ...requestLimit, startedAtMs: this.#options.clock.monotonic() });
			this.#requests.set(session, requests);
		}
		if (requests.take(this.#options.clock.monotonic())) {
			this.#shardOf(session)?.request(session as WorkerSession, request);
			return;
		}
		this.#options.onFlood(session.shardId);
		session.carrier?.close(4008, 'too many requests');
	}

	#shardOf(session: GatewaySession): ResidentShard | undefined {
		return this.#options.shards.get(session.shardId);
	}
}

/** From the path that the manager gave the worker's process; undefined for a client that came by another. */
function incarnationOf({ path }: ConnectionInfo): number | undefined {
	const incarnation = /^\/worker\/(\d+)/.exec(path)?.[1];
	return incarnation === undefined ? undefined : Number(incarnation);
}

/** Of equal length whatever the text, as the comparison wants it. */
function digest(text: string): Buffer {
	return createHash('sha256').update(text).digest();
}
