// The entry of a gateway process: reads its configuration, opens the channel to the manager, and runs until the manager ends it.
import type { Socket } from 'node:net';
import {
	type GatewayConfig,
	gatewayConfigVariable,
	guardListener,
	messageOf,
	type PassedConnection,
	systemClock,
} from '@shardctl/core';
import { FileSnapshotStore } from '../snapshots/file-snapshot-store.js';
import { answerManager, identifyClient, openManagerLink } from './manager-link.js';
import { ResidentGateway } from './resident-gateway.js';

const config = JSON.parse(process.env[gatewayConfigVariable] ?? 'null') as GatewayConfig;
const peer = openManagerLink(config.epoch);
const files = new FileSnapshotStore(config.snapshotDir);
// Loaded only by a node of a cluster.
const cluster = config.cluster && (await import('./cluster-session.js')).openClusterSession(config.cluster, config.snapshotDir);
const gateway = new ResidentGateway({
	config,
	token: process.env.DISCORD_TOKEN ?? '',
	clock: systemClock,
	store: cluster?.store ?? files,
	fence: () => cluster?.fence() ?? files.nextFence(),
	...(cluster && { lease: cluster.lease }),
	identify: identifyClient(peer),
	onSessionStarted: (session, terms) => peer.notify('session.started', { session, terms }),
	onRefused: (refusal) => peer.notify('session.refused', refusal),
	onConnection: (connection) => peer.notify('worker.connected', connection),
	onLost: (shardId, lost) => peer.notify('events.lost', { shardId, lost }),
	notice: (notice) => peer.notify('notice', notice),
});

let ending: Promise<void> | undefined;
const end = (keepSessions: boolean): Promise<void> => {
	ending ??= gateway.stop({ keepSessions });
	return ending;
};

answerManager(peer, gateway);
peer.handle('shutdown', async ({ keepSessions }) => {
	await end(keepSessions);
	// The process exits after the response has been written.
	setImmediate(() => void peer.flushed().then(() => process.exit(0)));
	return null;
});
// The manager is gone, for whatever reason: Discord keeps the sessions for the next manager's processes.
/** The manager is gone: in a cluster another node takes over at once what is released here. */
const leave = async () => {
	await end(true);
	await cluster?.release();
};
process.once('disconnect', () => void leave().finally(() => process.exit(1)));
// It may have gone before that listener was added, while this process was booting.
if (!process.connected) process.exit(1);
// The manager ends this process by `shutdown`; a signal to the whole process group must save everything first.
process.on('SIGTERM', () => void end(true).finally(() => process.exit(0)));

process.on(
	'message',
	guardListener(
		(message: Partial<PassedConnection> | null, socket?: Socket) => {
			const id = message?.shardctlConnection;
			if (id === undefined) return;
			peer.notify('connection.taken', { id });
			// There is no socket if the client has closed it in the meantime.
			if (socket) gateway.take(socket);
		},
		(_error, _message, socket) => socket?.destroy(),
	),
);

try {
	const former = cluster ? [] : await files.formerFiles();
	if (former.length > 0) {
		const message = `ignoring ${former.length} files of an older version in ${config.snapshotDir}; starting new sessions; the files can be deleted`;
		peer.notify('notice', { shardIds: config.shardIds, kind: 'snapshot:unusable', message });
	}
	peer.notify('listening', { port: await gateway.start() });
} catch (error) {
	console.error(messageOf(error));
	process.exit(1);
}
