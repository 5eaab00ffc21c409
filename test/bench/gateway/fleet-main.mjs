// The process of a manager whose bot is replaced repeatedly.
import { ipcPort, Peer } from '@shardctl/rpc';
import { pino } from 'pino';
import { createShardManager } from 'shardctl';

const peer = new Peer({ port: ipcPort(process), epoch: 1 });
let manager;

peer.handle('start', async ({ bot, shards, gateway, api, token, identifyWindowMs, env }) => {
	manager = createShardManager(bot, {
		totalShards: shards,
		shardsPerWorker: shards,
		gateway,
		api,
		token,
		identifyWindowMs,
		env,
		name: `bench-${process.pid}`,
		logger: pino({ level: 'silent' }),
		silent: true,
	});
	await manager.spawn();
	return null;
});
/** As an operator starts a new version: a deploy if available, else the restart of the workers. */
peer.handle('replace', async ({ resident }) => {
	if (resident) await manager.deploy();
	else await manager.respawnAll({ rolling: true });
	return null;
});
peer.handle('stop', async () => {
	await manager.stop({ graceMs: 500 });
	return null;
});
