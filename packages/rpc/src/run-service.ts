// The life of a service process of the manager, such as a gateway process, at its end of the channel: it takes the connections that the
// manager has accepted for it, closes its inspector on request, and ends with its manager. What it serves is its kind's affair.
import type { Socket } from 'node:net';
import { guardListener, messageOf, type PassedConnection } from '@shardctl/core';

/** What the manager may ask of each kind. */
interface ServicePeer {
	handle(method: 'ping', handler: () => null): void;
	handle(method: 'inspector.close', handler: () => Promise<null>): void;
	notify(event: 'connection.taken', payload: { id: number }): void;
	notify(event: 'listening', payload: { port: number }): void;
	flushed(): Promise<void>;
}

export interface Service {
	/** Opens what it serves; resolves with the port. The process exits where it rejects. */
	start(): Promise<number>;
	/** A connection that the manager has accepted; nothing was read from it. */
	take(socket: Socket): void;
	/** A signal to the whole process group: the process exits after this. The manager itself ends it by a request. */
	onSignal(): Promise<void>;
	/** The manager is gone, for whatever reason: the process exits after this. */
	onManagerGone(): Promise<void>;
}

/** Resolves when workers can connect. Handlers of the kind's own requests are registered before. */
export async function runService(peer: ServicePeer, { start, take, onSignal, onManagerGone }: Service): Promise<void> {
	peer.handle('ping', () => null);
	peer.handle('inspector.close', async () => {
		(await import('node:inspector')).close();
		return null;
	});
	process.once('disconnect', () => void onManagerGone().finally(() => process.exit(1)));
	// It may have gone before that listener was added, while this process was booting.
	if (!process.connected) process.exit(1);
	process.on('SIGTERM', () => void onSignal().finally(() => process.exit(0)));
	// A terminal or nodemon sends these to every process of the fleet; the manager gets them as well, and ends this one in order.
	for (const signal of ['SIGINT', 'SIGHUP', 'SIGUSR2'] as const) process.on(signal, () => {});
	process.on(
		'message',
		guardListener(
			(message: Partial<PassedConnection> | null, socket?: Socket) => {
				const id = message?.shardctlConnection;
				if (id === undefined) return;
				peer.notify('connection.taken', { id });
				// There is no socket if the client has closed it in the meantime.
				if (socket) take(socket);
			},
			(_error, _message, socket) => socket?.destroy(),
		),
	);
	try {
		peer.notify('listening', { port: await start() });
	} catch (error) {
		console.error(messageOf(error));
		process.exit(1);
	}
}

/** Ends this process after the reply to the request that is being handled was written. */
export function exitAfterReply(peer: Pick<ServicePeer, 'flushed'>): void {
	setImmediate(() => void peer.flushed().then(() => process.exit(0)));
}
