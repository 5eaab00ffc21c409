// An HTTP server of the control API before it listens: its limits on clients that are silent or slow, and the reports of those that it closes.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { type Clock, guardListener, RefusalNotices, UnprovenClients } from '@shardctl/core';
import type { Logger } from 'pino';

const limits = { requestTimeout: 30_000, headersTimeout: 10_000, keepAliveTimeout: 5000, connectionsCheckingInterval: 5000 };
const maxConnections = 8192;
/** How long a connection may take for its first request that is allowed. */
const unprovenForMs = 10_000;

export interface DoorOptions {
	clock: Clock;
	logger: Logger;
	/** Connections without a request that is allowed; one more closes the oldest of them. */
	mostUnproven: number;
	/** Makes the listener for requests, which calls `onServed` with each request that is allowed. */
	listener(onServed: (request: IncomingMessage) => void): (request: IncomingMessage, response: ServerResponse) => void;
}

export interface Door {
	server: Server;
	/** Stops to accept, closes what has asked for nothing, and resolves when the last connection is closed. */
	close(): Promise<void>;
}

export function createDoor({ clock, logger, mostUnproven, listener }: DoorOptions): Door {
	const refusals = new RefusalNotices(clock, (message) => logger.warn(`control API: ${message}`));
	const unproven = new UnprovenClients({
		clock,
		most: mostUnproven,
		withinMs: unprovenForMs,
		failing: 'sent no request that is allowed',
		onClosed: (why) => refusals.note(`closed a connection: ${why}`),
	});
	const server = createServer(
		limits,
		listener(({ socket }) => unproven.prove(socket)),
	);
	server.maxConnections = maxConnections;
	server.on(
		'connection',
		guardListener(
			(socket: Socket) => unproven.add(socket),
			(_error, socket) => socket.destroy(),
		),
	);
	server.on('drop', () => refusals.note(`refused a connection: ${maxConnections} are open`));
	server.on('error', (error) => logger.warn({ err: error }, `control API: ${error.message}`));
	return {
		server,
		close() {
			const closed = new Promise<void>((resolve) => server.close(() => resolve()));
			unproven.stop();
			refusals.stop();
			return closed;
		},
	};
}
