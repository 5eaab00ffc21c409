// Puts the protocol on WebSockets: takes HTTP upgrades, makes a connection of each, and owns all connections and sessions.
// It listens on nothing itself; an HTTP server hands the upgrades in.
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type Clock, closeCodeMeaning, guardListener, parseRequestTarget, systemClock } from '@shardctl/core';
import { type RawData, type WebSocket, WebSocketServer } from 'ws';
import type { ConnectionInfo, GatewayBackend } from './backend.js';

import { codecFor } from './compression/codecs.js';
import { readConnectQuery } from './connect-query.js';
import { type ConnectionRules, GatewayConnection } from './connection.js';
import type { GatewayObserver } from './observer.js';
import type { ReplayLimits } from './replay-buffer.js';
import type { GatewaySession, SessionOptions } from './session.js';
import { SessionStore } from './session-store.js';
import type { FrameReceiver, FrameTransport } from './transport.js';
import { WebSocketTransport } from './web-socket-transport.js';

/** Discord's own figures where it documents them. */
export const defaultRules: ConnectionRules = {
	heartbeatIntervalMs: 41_250,
	heartbeatTimeoutMs: 41_250 * 1.5,
	heartbeatAskAfterMs: Number.POSITIVE_INFINITY,
	heartbeatCloseCode: 4000,
	sendLimit: { limit: 120, windowMs: 60_000 },
	presenceLimit: { limit: 5, windowMs: 20_000 },
};

/** A layer between the protocol and the wire, such as injected faults. */
export interface ConnectionLayer {
	/** Wraps what sends to the client. */
	outgoing(transport: FrameTransport): FrameTransport;
	/** Wraps what is fed by the client. */
	incoming(receiver: FrameReceiver): FrameReceiver;
}

export interface GatewayServerOptions {
	backend: GatewayBackend;
	clock?: Clock;
	rules?: Partial<ConnectionRules>;
	/** How long a session without a connection can be resumed (default 120 s). */
	sessionTtlMs?: number;
	replay?: ReplayLimits;
	observe?: GatewayObserver;
	/** Makes a session of a kind of the backend's own. */
	createSession?: (options: SessionOptions) => GatewaySession;
	/** Bytes that may wait for a slow client before it is dropped (default 64 MiB). */
	maxQueuedBytes?: number;
	/** Connections without a session; one more closes the oldest of them (default 10,000). A function where that changes. How long one may wait is the client's affair: it may wait for its turn to identify. */
	maxUnidentified?: number | (() => number);
	/** A connection was closed for that. */
	onUnidentifiedClosed?(why: string): void;
	/** Makes the layer of a new connection. */
	layer?: (info: ConnectionInfo) => ConnectionLayer | undefined;
}

const defaultMaxUnidentified = 10_000;

const webSocketOptions = {
	noServer: true,
	perMessageDeflate: false,
	// A frame larger than this is not even read to the end: the WebSocket closes with 1009.
	maxPayload: 1024 * 1024,
	clientTracking: true,
	// How long a client may take to answer a close frame before its socket is dropped.
	closeTimeout: 2000,
};

export class GatewayServer {
	readonly sessions: SessionStore;
	readonly #options: GatewayServerOptions;
	readonly #clock: Clock;
	readonly #rules: ConnectionRules;
	readonly #observe: GatewayObserver;
	readonly #webSockets = new WebSocketServer(webSocketOptions);
	readonly #connections = new Map<number, GatewayConnection>();
	#nextConnectionId = 1;

	constructor(options: GatewayServerOptions) {
		this.#options = options;
		this.#clock = options.clock ?? systemClock;
		this.#rules = { ...defaultRules, ...options.rules };
		this.#observe = options.observe ?? (() => {});
		this.sessions = new SessionStore({
			clock: this.#clock,
			ttlMs: options.sessionTtlMs ?? 120_000,
			...(options.replay && { replay: options.replay }),
			...(options.createSession && { createSession: options.createSession }),
			onDetach: (session) => options.backend.sessionDetached?.(session),
			onEnd: (session, end) => {
				this.#observe({ type: 'session-end', sessionId: session.id, shard: session.slot, end });
				options.backend.sessionEnded(session, end);
			},
		});
	}

	get connections(): ReadonlyMap<number, GatewayConnection> {
		return this.#connections;
	}

	/** Takes an upgrade request of an HTTP server; responds with 400 on the socket where the request is no gateway URL. Never throws. */
	handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
		this.#upgrade(request, socket, head);
	}

	readonly #upgrade = guardListener(
		(request: IncomingMessage, socket: Duplex, head: Buffer) => this.#accept(request, socket, head),
		(_error, _request, socket) => refuseUpgrade(socket),
	);

	#accept(request: IncomingMessage, socket: Duplex, head: Buffer): void {
		const target = parseRequestTarget(request.url);
		const query = target && readConnectQuery(target.query);
		if (!target || !query || 'httpStatus' in query) {
			refuseUpgrade(socket);
			return;
		}
		this.#webSockets.handleUpgrade(request, socket, head, (webSocket) => {
			if ('close' in query) {
				webSocket.on('error', () => webSocket.terminate());
				webSocket.close(query.close, closeCodeMeaning(query.close).reason);
				return;
			}
			this.#open(webSocket, socket, request, {
				id: this.#nextConnectionId++,
				remoteAddress: request.socket.remoteAddress ?? '',
				host: request.headers.host ?? '',
				path: target.path,
				version: query.version,
				compression: query.compression,
			});
		});
	}

	/** Ends every session and drops every connection. Nothing of the server lives on after the promise. */
	async stop(): Promise<void> {
		for (const connection of this.#connections.values()) connection.terminate();
		this.sessions.endAll('stopped');
		for (const webSocket of this.#webSockets.clients) webSocket.terminate();
		await new Promise<void>((resolve) => this.#webSockets.close(() => resolve()));
	}

	/** Without this a client that opens connections and never identifies on them would take those of the others. */
	#makeRoom(): void {
		const { maxUnidentified = defaultMaxUnidentified, onUnidentifiedClosed } = this.#options;
		const most = typeof maxUnidentified === 'number' ? maxUnidentified : maxUnidentified();
		if (this.#connections.size < most) return;
		const waiting = [...this.#connections.values()].filter(({ state }) => state === 'awaiting');
		if (waiting.length < most) return;
		waiting[0]?.close(4000, 'too many connections without a session');
		onUnidentifiedClosed?.(`it did not identify, and ${most} newer ones wait as well`);
	}

	#open(webSocket: WebSocket, socket: Duplex, request: IncomingMessage, info: ConnectionInfo): void {
		this.#makeRoom();
		this.#observe({ type: 'connection', connection: info, userAgent: request.headers['user-agent'] ?? '' });
		const wire = new WebSocketTransport({
			webSocket,
			socket,
			codec: codecFor(info.compression),
			maxQueuedBytes: this.#options.maxQueuedBytes ?? 64 * 1024 * 1024,
			onOverflow: () => connection.terminate('too slow'),
		});
		const layer = this.#options.layer?.(info);
		const connection = new GatewayConnection(info, layer ? layer.outgoing(wire) : wire, {
			clock: this.#clock,
			backend: this.#options.backend,
			sessions: this.sessions,
			rules: this.#rules,
			observe: this.#observe,
			onClosed: () => this.#connections.delete(info.id),
			enablePayloadCompression: () => wire.enablePayloadCompression(),
		});
		this.#connections.set(info.id, connection);
		const receiver = layer ? layer.incoming(connection) : connection;
		// A failure in here is a bug of ours that one client's frame has found: it ends that connection and no more.
		const drop = () => connection.terminate('the gateway failed to handle it');
		webSocket.on(
			'message',
			guardListener((data: RawData, isBinary: boolean) => receiver.receive(data as Buffer, isBinary), drop),
		);
		// The WebSocket closes itself after an error, and sends the matching code.
		webSocket.on('error', () => {});
		webSocket.on(
			'close',
			guardListener((code: number) => {
				try {
					receiver.closed(code);
				} finally {
					wire.dispose();
				}
			}, drop),
		);
	}
}

/** Responds with 400 and closes the socket. */
function refuseUpgrade(socket: Duplex): void {
	socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
}
