// The entry of a gateway process: reads its brief, opens the channel to the manager, and runs until the manager ends it.
import type { Socket } from 'node:net';
import { type GatewayConfig, gatewayConfigVariable, messageOf, type PassedConnection, systemClock } from '@shardctl/core';
import { FileSnapshotStore } from '../snapshots/file-snapshot-store.js';
import { answerManager, IdentifySlots, openManagerLink } from './manager-link.js';
import { ResidentGateway } from './resident-gateway.js';

const brief = JSON.parse(process.env[gatewayConfigVariable] ?? 'null') as GatewayConfig;
const peer = openManagerLink(brief.epoch);
const slots = new IdentifySlots(peer);
const gateway = new ResidentGateway({
	brief,
	token: process.env.DISCORD_TOKEN ?? '',
	clock: systemClock,
	store: new FileSnapshotStore(brief.snapshotDir),
	waitForIdentify: (session, signal) => slots.wait(session, signal),
	onIdentified: (session) => slots.confirm(session),
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
	// The answer has to leave before the process does.
	setImmediate(() => void peer.flushed().then(() => process.exit(0)));
	return null;
});
// The manager is gone, however it went: the next one finds the sessions with Discord as they are now.
process.once('disconnect', () => void end(true).finally(() => process.exit(1)));
// It may have gone while this process was still booting, when nobody listened.
if (!process.connected) process.exit(1);
// The manager ends this process; a signal to the whole group must not do so before.
process.on('SIGTERM', () => void end(true).finally(() => process.exit(0)));

process.on('message', (message: Partial<PassedConnection>, socket?: Socket) => {
	const { shardctlConnection: id } = message;
	if (id === undefined) return;
	peer.notify('connection.taken', { id });
	// Without one where the client has gone meanwhile.
	if (socket) gateway.take(socket);
});

try {
	peer.notify('listening', { port: await gateway.start() });
} catch (error) {
	console.error(messageOf(error));
	process.exit(1);
}
