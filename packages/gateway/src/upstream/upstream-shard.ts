// One session with Discord, held by @discordjs/ws 2's WebSocketShard: kept through every outage, resumed whenever Discord allows it,
// and replaced by a new session only when Discord has ended it.
import {
	CompressionMethod,
	type SessionInfo,
	WebSocketShard,
	WebSocketShardDestroyRecovery,
	WebSocketShardEvents,
	WebSocketShardStatus,
} from '@discordjs/ws';
import {
	type SessionTerms as BotSessionTerms,
	type Clock,
	closeCodeMeaning,
	type Deferred,
	deferred,
	fatalCloseCodes,
	type GatewayInfo,
	guardListener,
	sleep,
	type Timer,
	type UpstreamCompression,
} from '@shardctl/core';
import { type ClientRequest, type IdentifyPayload, op, type PresencePayload } from '@shardctl/gateway-protocol';
import type { Dispatch } from '../state/raw.js';
import { Backoff } from './backoff.js';
import type { ConnectLimit } from './connect-limit.js';
import { type ConnectionFacts, ConnectionRecord } from './connection-record.js';
import { MessageReader } from './message-reader.js';
import { RequestQueue } from './request-queue.js';
import { SessionKeeper, shardStatus } from './session-keeper.js';

/** Discord needs some time for the READY of a large shard, and giving up costs another IDENTIFY. */
const readyTimeoutMs = 60_000;
/** The library has no timeout for RESUMED. */
const resumeTimeoutMs = 60_000;

/** What the library gives as the reason when it closes a connection itself, as an operator reads it. */
const libraryReasons: ReadonlyMap<string | undefined, string> = new Map([
	['Zombie connection', 'Discord acknowledged no heartbeat'],
	['Something timed out or went wrong while waiting for an event', 'Discord did not answer in time'],
	['Told to reconnect by Discord', 'Discord asked for a new connection'],
	['Invalid session', 'Discord no longer knows the session'],
]);

/** The parameters of IDENTIFY; taken from the first worker that identifies. */
export interface SessionTerms extends BotSessionTerms {
	presence: PresencePayload | null;
}

/** What a later process needs to resume a session. */
export interface SavedSession {
	sessionId: string;
	resumeUrl: string;
	terms: SessionTerms;
}

/** Why a connection closed. */
export interface ConnectionClose {
	code: number;
	/** For people; empty where nothing is known beyond the code. */
	reason: string;
}

export interface UpstreamEvents {
	onDispatch(dispatch: Dispatch, seq: number): void;
	/** Discord has started a session with these terms. */
	onReady(terms: SessionTerms): void;
	onResumed(): void;
	onClosed(close: ConnectionClose): void;
	onSessionLost(): void;
	/** Discord closed with a code after which no retry helps. */
	onRefused(code: number): void;
	onPing(latencyMs: number): void;
	/** Too many requests of workers wait, so some are dropped. */
	onRequestsDropped(opcode: number): void;
	/** No request waits any more. `dropped`: since {@link onRequestsDropped}. */
	onRequestsNormal(dropped: number): void;
	/** Too many events waited for the session that is to replace this one: it has, and what this one had delivered may be delivered again. */
	onOverlapFull?(): void;
}

export interface UpstreamShardOptions extends UpstreamEvents {
	shardId: number;
	totalShards: number;
	token: string;
	gateway: GatewayInfo;
	compression: UpstreamCompression;
	clock: Clock;
	/** Resolves when IDENTIFY may go out; rejects only when the signal aborts. */
	waitForIdentify(signal: AbortSignal): Promise<void>;
	/** Shared by all sessions of the process. `isApproach`: see {@link UpstreamShard.approach}. */
	connects: { enter(signal: AbortSignal, options: { isApproach: boolean }): ReturnType<ConnectLimit['enter']> };
	/** Whether the session is this process's at this moment, which in a cluster can end at any time (default: it is). */
	mayAct?(): boolean;
}

export class UpstreamShard {
	readonly requests: RequestQueue;
	readonly #options: UpstreamShardOptions;
	readonly #backoff: Backoff;
	readonly #record: ConnectionRecord;
	readonly #lifetime = new AbortController();
	#terms: SessionTerms | undefined;
	#keeper: SessionKeeper | undefined;
	#shard: WebSocketShard | undefined;
	#reader: MessageReader | undefined;
	#refusedWith: number | undefined;
	/** Why this side closes the connection; undefined while it does not. */
	#closeReason: string | undefined;
	/** What a RESUME waits for while the session is another process's. */
	#approach: Deferred<void> | undefined;
	#resumeTimer: Timer | undefined;
	/** How many connections were begun. */
	#connections = 0;
	/** Ends this connection's share of the connect limit. */
	#connected: () => void = () => {};

	constructor(options: UpstreamShardOptions) {
		this.#options = options;
		this.#backoff = new Backoff(options.clock);
		this.#record = new ConnectionRecord(options.clock);
		this.requests = new RequestQueue({
			clock: options.clock,
			isReady: () => this.#shard?.status === shardStatus.ready && this.#mayAct,
			// A send fails when the connection has just broken; the worker's library would have lost the request as well.
			send: (request) => void this.#shard?.send(request as never).catch(() => {}),
			onDropping: (opcode) => options.onRequestsDropped(opcode),
			onDropped: (count) => options.onRequestsNormal(count),
		});
	}

	/** The terms of the session; undefined before any worker has identified. */
	get terms(): SessionTerms | undefined {
		return this.#terms;
	}

	/** The close code with which Discord refused for good. */
	get refusedWith(): number | undefined {
		return this.#refusedWith;
	}

	get status(): 'idle' | 'connecting' | 'resuming' | 'ready' | 'refused' {
		if (this.#refusedWith !== undefined) return 'refused';
		const status = this.#shard?.status;
		if (status === undefined) return 'idle';
		if (status === WebSocketShardStatus.Ready) return 'ready';
		return status === WebSocketShardStatus.Resuming ? 'resuming' : 'connecting';
	}

	/** The connection over time. */
	get connection(): ConnectionFacts {
		return this.#record.facts;
	}

	/** What the next process needs to resume the session, behind an event that the caller knows. */
	get saved(): SavedSession | null {
		const session = this.#keeper?.session;
		if (!session || !this.#terms) return null;
		return { sessionId: session.sessionId, resumeUrl: session.resumeURL, terms: this.#terms };
	}

	/** Starts a session, unless there is one. */
	start(terms: SessionTerms): void {
		if (this.#shard) return;
		this.#connect(terms, null);
	}

	/**
	 * Connects for a session that is still another process's, up to HELLO. The RESUME follows with {@link resume}, of the same session. After
	 * a close before that this object is of no use.
	 */
	approach(session: SavedSession): void {
		this.#approach = deferred();
		this.#connect(session.terms, this.#infoOf(session, 0));
	}

	/** Resumes a session of an earlier process behind its event `seq`. */
	resume(session: SavedSession, seq: number): void {
		const approach = this.#approach;
		if (!approach) {
			this.#connect(session.terms, this.#infoOf(session, seq));
			return;
		}
		this.#approach = undefined;
		this.#terms = session.terms;
		this.#keeper?.restore(this.#infoOf(session, seq));
		approach.resolve();
	}

	#infoOf({ sessionId, resumeUrl }: SavedSession, sequence: number): SessionInfo {
		const { shardId, totalShards: shardCount } = this.#options;
		return { sessionId, resumeURL: resumeUrl, sequence, shardId, shardCount };
	}

	/** Sends a worker's request as soon as the connection and Discord's limits allow it. */
	request(request: ClientRequest, owner: object | null = null): void {
		if (request.op === 3 && this.#terms) this.#setPresence(request.d);
		this.requests.push(request, owner);
	}

	/** Sends a worker's presence where the session has another. */
	showPresence(presence: IdentifyPayload['presence']): void {
		if (!presence || !this.#terms || JSON.stringify(presence) === JSON.stringify(this.#terms.presence)) return;
		this.request({ op: 3, d: presence });
	}

	/** Nothing more is read from the connection until {@link continueReading}. One that follows it is read, until this is called again. */
	stopReading(): void {
		this.#reader?.pause();
	}

	continueReading(): void {
		this.#reader?.unpause();
	}

	/** Ends the connection; with `keepSession` Discord keeps the session for the next process. */
	async stop({ keepSession }: { keepSession: boolean }): Promise<void> {
		this.#lifetime.abort();
		this.#connected();
		this.requests.stop();
		if (!this.#shard) return;
		this.#keeper?.freeze();
		await this.#shard.destroy({ code: keepSession ? 4200 : 1000, reason: 'shutting down' });
		this.#reader?.close();
	}

	#connect(terms: SessionTerms, session: SessionInfo | null): void {
		const { shardId, totalShards, token, gateway, compression } = this.#options;
		this.#terms = terms;
		const keeper = new SessionKeeper({
			options: {
				compression: compression === 'zlib-stream' ? CompressionMethod.ZlibNative : null,
				encoding: 'json' as never,
				handshakeTimeout: 30_000,
				helloTimeout: 60_000,
				readyTimeout: readyTimeoutMs,
				identifyProperties: { browser: 'shardctl', device: 'shardctl', os: process.platform },
				initialPresence: terms.presence as never,
				intents: terms.intents as never,
				largeThreshold: terms.largeThreshold,
				token,
				useIdentifyCompression: false,
				version: '10',
				gatewayInformation: gateway,
				shardCount: totalShards,
			},
			status: () => shard.status,
			beforeConnect: () => this.#beforeConnect(),
			waitForIdentify: (signal) => this.#options.waitForIdentify(signal),
			onSessionLost: () => this.#options.onSessionLost(),
		});
		const shard = new WebSocketShard(keeper, shardId);
		this.#noteCloseReasons(shard);
		this.#checkBeforeStart(shard);
		this.#keeper = keeper;
		this.#shard = shard;
		this.#reader = new MessageReader(shard, {
			onDispatch: (dispatch, seq) => {
				keeper.noteEvent(seq, { begins: dispatch.t === 'READY' });
				this.#record.event();
				if (dispatch.t !== 'RESUMED') this.#options.onDispatch(dispatch, seq);
			},
			onBroken: (reason) => this.#resume(shard, reason),
			onFailed: (error, type) => this.#failed(error, type),
		});
		if (session) keeper.restore(session);
		this.#listen(shard, keeper);
		// It resolves with the first session, which the events report as well.
		shard.connect().catch(() => {});
	}

	#listen(shard: WebSocketShard, keeper: SessionKeeper): void {
		const { clock, onReady, onResumed, onClosed, onRefused, onPing } = this.#options;
		const on = ((event: string, listener: (...args: unknown[]) => void) => {
			const guarded = guardListener(listener, (error) => this.#failed(error, event));
			return shard.on(event as never, guarded as never);
		}) as unknown as WebSocketShard['on'];
		on(WebSocketShardEvents.Hello, () => {
			this.#connected();
			keeper.noteHello();
		});
		on(WebSocketShardEvents.Ready, () => {
			this.#backoff.ready();
			this.#record.ready();
			onReady(this.#terms as SessionTerms);
			this.requests.connected();
		});
		on(WebSocketShardEvents.Resumed, () => {
			clock.clearTimeout(this.#resumeTimer);
			this.#backoff.ready();
			this.#record.ready();
			onResumed();
			this.requests.connected();
		});
		on(WebSocketShardEvents.HeartbeatComplete, ({ latency }) => onPing(latency));
		on(WebSocketShardEvents.Closed, (code) => {
			clock.clearTimeout(this.#resumeTimer);
			this.#connected();
			keeper.noteClose(code);
			this.#backoff.closed();
			if (this.#lifetime.signal.aborted) return;
			const close = { code, reason: this.#closeReason ?? this.#record.socketError ?? reasonOfClose(code) };
			this.#closeReason = undefined;
			this.#record.closed(close);
			if (fatalCloseCodes.has(code)) {
				this.#refusedWith = code;
				onRefused(code);
			} else onClosed(close);
		});
		// A close follows each of them and decides what to do.
		on(WebSocketShardEvents.Error, () => {});
		on(WebSocketShardEvents.SocketError, (error) => this.#record.failed(error));
	}

	/** A bug of ours that this event has found. It must not end the other sessions of this process. */
	#failed(error: unknown, what: string): void {
		console.error(`the gateway process failed to handle ${what} of session ${this.#options.shardId}; please report this`, error);
	}

	/** Drops the connection; the library connects again and resumes. If it cannot, it emits a close event. */
	#resume(shard: WebSocketShard, reason: string): void {
		shard.destroy({ reason, recover: WebSocketShardDestroyRecovery.Resume }).catch(() => {});
	}

	/** The library reports the code of a close that it began itself, but not the reason, and waits until Discord has answered. */
	#noteCloseReasons(shard: WebSocketShard): void {
		const destroy = shard.destroy.bind(shard);
		shard.destroy = (options) => {
			this.#closeReason = libraryReasons.get(options?.reason) ?? options?.reason;
			this.continueReading();
			return destroy(options);
		};
	}

	/**
	 * From the permission to connect to the RESUME or IDENTIFY it can take seconds, or any time in a process that was stopped meanwhile: the
	 * session may be another node's by then, and a RESUME would take it back. Instead it connects again, which waits for the permission.
	 */
	#checkBeforeStart(shard: WebSocketShard): void {
		const send = shard.send.bind(shard);
		const never = new Promise<never>(() => {});
		shard.send = async (payload) => {
			// Discord expects no number of an event before the session is resumed.
			if (payload.op === op.heartbeat && this.#approach) return send({ ...payload, d: null });
			if (payload.op !== op.resume && payload.op !== op.identify) return send(payload);
			const connection = this.#connections;
			await this.#approach?.promise;
			// The connection has ended meanwhile, and what it was to send with it.
			if (connection !== this.#connections || this.#lifetime.signal.aborted) return never;
			if (!this.#mayAct) {
				this.#resume(shard, 'the right to the session ended while it connected');
				return never;
			}
			if (payload.op !== op.resume) return send(payload);
			this.#awaitResumed(shard);
			return send({ ...payload, d: { ...payload.d, seq: this.#keeper?.session?.sequence ?? payload.d.seq } });
		};
	}

	/** From the RESUME on, which may wait for long after HELLO: for the former owner of the session. */
	#awaitResumed(shard: WebSocketShard): void {
		const { clock } = this.#options;
		clock.clearTimeout(this.#resumeTimer);
		this.#resumeTimer = clock.setTimeout(() => {
			if (shard.status !== shardStatus.resuming) return;
			this.#resume(shard, `no RESUMED within ${resumeTimeoutMs / 1000} s`);
		}, resumeTimeoutMs);
	}

	get #mayAct(): boolean {
		return this.#options.mayAct?.() ?? true;
	}

	/** Never resolves once the session stops: the library would connect again. */
	async #beforeConnect(): Promise<void> {
		this.#closeReason = undefined;
		this.#connections++;
		// An attempt may fail without a close event.
		this.#connected();
		const { clock, connects } = this.#options;
		const { signal } = this.#lifetime;
		const delayMs = this.#backoff.nextDelayMs();
		this.#record.waiting(delayMs);
		try {
			await sleep(clock, delayMs, signal);
			this.#record.trying();
			this.#connected = await connects.enter(signal, { isApproach: this.#approach !== undefined });
		} catch {
			await new Promise(() => {});
		}
		this.#reader?.reset();
	}

	/** Later IDENTIFYs of this session have it too. */
	#setPresence(presence: PresencePayload): void {
		if (!this.#terms || !this.#keeper) return;
		this.#terms = { ...this.#terms, presence };
		(this.#keeper.options as { initialPresence: unknown }).initialPresence = presence;
	}
}

function reasonOfClose(code: number): string {
	if (code === 1006) return 'the connection broke';
	return fatalCloseCodes.get(code) ?? closeCodeMeaning(code).reason.replace(/\.$/, '');
}
