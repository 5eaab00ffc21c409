// The entry of the REST process: reads its configuration, opens the channel to the manager, and runs until the manager ends it.
import {
	type RestConfig,
	type RestEvents,
	type RestManagerMethods,
	type RestMethods,
	restConfigVariable,
	systemClock,
} from '@shardctl/core';
import { exitAfterReply, ipcPort, Peer, runService } from '@shardctl/rpc';
import { RestServer } from './rest-server.js';

/** The manager asks Redis for at most half a second. */
const askLimitMs = 2000;

const config = JSON.parse(process.env[restConfigVariable] ?? 'null') as RestConfig;
const peer = new Peer<RestMethods, RestManagerMethods, RestEvents>({ port: ipcPort(process), epoch: config.epoch });
const server = new RestServer({
	config,
	token: process.env.DISCORD_TOKEN ?? '',
	clock: systemClock,
	notice: (notice) => peer.notify('notice', notice),
	askLimit: (wish) => peer.request('limit.ask', wish, { timeoutMs: askLimitMs }),
});

peer.handle('stats', () => server.figures());
peer.handle('shutdown', async () => {
	await server.stop();
	exitAfterReply(peer);
	return null;
});
await runService(peer, {
	start: () => server.start(),
	take: (socket) => server.take(socket),
	onSignal: () => server.stop(),
	// Its workers end as well.
	onManagerGone: async () => {},
});
