// The backend of the local gateway: checks a client's token, shard and request rate, and leaves the rest to the shard.
import { createHash, timingSafeEqual } from 'node:crypto';
import { allIntents, type Clock, type WorkerConnection, type WorkerPaths } from '@shardctl/core';
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
import type { WorkerDoor } from './worker-door.js';
import type { WorkerSession } from './worker-session.js';

/** Discord's own limit for a connection, so that a worker that floods is closed here. */
const requestLimit = { limit: 120, windowMs: 60_000 };

export interface LocalBackendOptions {
	/** The only token that is accepted; undefined: every token is, as on a simulator. */
	token: string | undefined;
	paths: WorkerPaths;
	/** The shards of this shard count by id; undefined where there are none. While the count changes, there are those of two. */
	shardsOf(totalShards: number): ReadonlyMap<number, WorkerDoor> | undefined;
	clock: Clock;
	/** An IDENTIFY or RESUME was refused for its token or shard. */
	onRefused(detail: string): void;
	/** A worker's process has identified a shard that is not in this gateway process: it does not follow `SHARDS` and `SHARD_COUNT`. */
	onWrongShard(connection: WorkerConnection): void;
	/** A session was closed for too many requests. */
	onFlood(shardId: number): void;
}

export class LocalBackend implements GatewayBackend {
	readonly #options: LocalBackendOptions;
	readonly #token: Buffer | undefined;
	readonly #requests = new WeakMap<GatewaySession, RateWindow>();
	/** The shard of each session, also when its number is that of another shard by now. */
	readonly #doors = new WeakMap<GatewaySession, WorkerDoor>();

	constructor(options: LocalBackendOptions) {
		this.#options = options;
		this.#token = options.token === undefined ? undefined : digest(options.token);
	}

	authenticate(token: string): boolean {
		if (!this.#token) return true;
		const good = timingSafeEqual(digest(token.replace(/^Bot /, '')), this.#token);
		if (!good) this.#options.onRefused('a client used a wrong token');
		return good;
	}

	/** Which intents Discord grants shows when the session with Discord starts. */
	grantedIntents(): number {
		return allIntents;
	}

	createSession(options: SessionOptions): GatewaySession {
		const [id, count] = options.identify.shard ?? [0, 1];
		const shard = this.#options.shardsOf(count)?.get(id) as WorkerDoor;
		const session = shard.createSession(options);
		this.#doors.set(session, shard);
		return session;
	}

	identify(identify: IdentifyPayload, connection: ConnectionInfo): IdentifyAnswer | Promise<IdentifyAnswer> {
		const [id, count] = identify.shard ?? [0, 1];
		const shard = this.#options.shardsOf(count)?.get(id);
		if (shard) return shard.identify(identify, this.#incarnationOf(connection));
		const detail = `shard [${id}, ${count}] is not in this gateway process`;
		this.#options.onRefused(detail);
		const incarnation = this.#incarnationOf(connection);
		if (incarnation !== undefined) this.#options.onWrongShard({ incarnation, shardId: id, status: 'refused', closeCode: 4010 });
		return { accept: false, close: 4010, detail };
	}

	sessionStarted(session: GatewaySession, connection: ConnectionInfo): void {
		this.#shardOf(session)?.sessionStarted(session as WorkerSession, this.#incarnationOf(connection));
	}

	sessionResumed(session: GatewaySession): void {
		this.#shardOf(session)?.sessionResumed(session as WorkerSession);
	}

	sessionDetached(session: GatewaySession): void {
		this.#shardOf(session)?.sessionDetached(session as WorkerSession);
	}

	sessionEnded(session: GatewaySession): void {
		this.#shardOf(session)?.sessionEnded(session as WorkerSession);
	}

	heartbeat(session: GatewaySession, seq: number | null): void {
		this.#shardOf(session)?.heartbeat(session as WorkerSession, seq);
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

	#shardOf(session: GatewaySession): WorkerDoor | undefined {
		return this.#doors.get(session);
	}

	/** From the path that the manager gave the worker's process; undefined for a client on another path. */
	#incarnationOf({ path }: ConnectionInfo): number | undefined {
		return this.#options.paths.parse(path)?.incarnation;
	}
}

/** `timingSafeEqual` needs inputs of equal length. */
function digest(text: string): Buffer {
	return createHash('sha256').update(text).digest();
}
