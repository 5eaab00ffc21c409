// The entry of the REST process: reads its configuration, opens the channel to the manager, and runs until the manager ends it.
import type { Socket } from 'node:net';
import {
	guardListener,
	messageOf,
	type PassedConnection,
	type RestConfig,
	type RestEvents,
	type RestMethods,
	restConfigVariable,
	systemClock,
} from '@shardctl/core';
import { ipcPort, Peer } from '@shardctl/rpc';
import { RestServer } from './rest-server.js';

const config = JSON.parse(process.env[restConfigVariable] ?? 'null') as RestConfig;
const peer = new Peer<RestMethods, Record<never, never>, RestEvents>({ port: ipcPort(process), epoch: config.epoch });
const server = new RestServer({
	config,
	token: process.env.DISCORD_TOKEN ?? '',
	clock: systemClock,
	notice: (notice) => peer.notify('notice', notice),
});

peer.handle('ping', () => null);
peer.handle('inspector.close', async () => {
	(await import('node:inspector')).close();
	return null;
});
peer.handle('stats', () => server.figures());
peer.handle('shutdown', async () => {
	await server.stop();
	// The process exits after the response has been written.
	setImmediate(() => void peer.flushed().then(() => process.exit(0)));
	return null;
});
// The manager is gone, for whatever reason, and its workers end as well.
process.once('disconnect', () => process.exit(1));
// It may have gone before that listener was added, while this process was booting.
if (!process.connected) process.exit(1);
// The manager ends this process by `shutdown`; a signal to the whole process group comes to the manager as well.
process.on('SIGTERM', () => void server.stop().finally(() => process.exit(0)));

process.on(
	'message',
	guardListener(
		(message: Partial<PassedConnection> | null, socket?: Socket) => {
			const id = message?.shardctlConnection;
			if (id === undefined) return;
			peer.notify('connection.taken', { id });
			// There is no socket when the client has closed it meanwhile.
			if (socket) server.take(socket);
		},
		(_error, _message, socket) => socket?.destroy(),
	),
);

try {
	peer.notify('listening', { port: await server.start() });
} catch (error) {
	console.error(messageOf(error));
	process.exit(1);
}
