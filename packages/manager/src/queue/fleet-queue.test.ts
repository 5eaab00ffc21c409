import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { systemClock } from '@shardctl/core';
import { expect, it, onTestFinished } from 'vitest';
import { FleetQueue } from './fleet-queue.js';

/** A Redis that accepts connections and never answers. */
async function silentRedis() {
	const server = createServer();
	const sockets: Socket[] = [];
	server.on('connection', (socket) => sockets.push(socket.on('error', () => {})));
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	onTestFinished(() => {
		for (const socket of sockets) socket.destroy();
		server.close();
	});
	const redis = { url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}` };
	const queue = { redis, keep: { bytes: 1, ageMs: 1 }, sessions: true, workers: 1 };
	const logger = { warn() {}, info() {} };
	return { server, sockets, queue: new FleetQueue({ queue, token: 'MTIz.a.b', clock: systemClock, logger }) };
}

it('leaves no connection behind when it is closed while it connects', async () => {
	const { server, sockets, queue } = await silentRedis();
	const opening = queue.open();
	opening.catch(() => {});
	const [socket] = (await once(server, 'connection')) as [Socket];
	const ended = once(socket.resume(), 'close');
	await queue.close();
	await expect(opening).rejects.toMatchObject({ code: 'MANAGER_STOPPED' });
	await ended;
	expect(sockets.length).toBe(1);
});

it('connects nowhere when it is closed before its parts are loaded', async () => {
	const { sockets, queue } = await silentRedis();
	const opening = queue.open();
	opening.catch(() => {});
	await queue.close();
	await expect(opening).rejects.toMatchObject({ code: 'MANAGER_STOPPED' });
	expect(sockets).toEqual([]);
});
