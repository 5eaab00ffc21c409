// Compression towards workers: of the whole connection (zlib-stream), and of single packets (`compress` in IDENTIFY).
import { CompressionMethod, WebSocketManager, WebSocketShardEvents } from '@discordjs/ws';
import { waitFor } from '@shardctl/test-support';
import { expect, it, onTestFinished } from 'vitest';
import { Client, GatewayProcess, intents } from './support/gateway-process.js';

const zlibStream = 'v=10&encoding=json&compress=zlib-stream';

it('compresses a whole connection, also after a resume', async () => {
	const gateway = await GatewayProcess.start({ shards: 1 });
	const client = await Client.ready(gateway, 0, {}, zlibStream);
	const guildId = gateway.guildOf(0);
	const say = (from: number, to: number) => {
		for (let n = from; n <= to; n++) gateway.simulator.emit('MESSAGE_CREATE', { content: String(n) }, { guildId });
	};
	say(1, 1000);
	await waitFor('every message, and its word of it', async () => {
		return client.numbers.length === 1000 && (await gateway.stats(0)).bufferedEvents === 0;
	});
	expect(client.binaryMessages).toBe(client.frames.length);
	client.socket.terminate();
	const back = await Client.connect(gateway.port, { query: zlibStream });
	back.send({ op: 6, d: { token: gateway.simulator.token, session_id: client.sessionId, seq: client.seq } });
	say(1001, 1500);
	await waitFor('the rest', () => back.numbers.length >= 500);
	expect([...client.numbers, ...back.numbers]).toEqual(Array.from({ length: 1500 }, (_, n) => n + 1));
	expect(back.binaryMessages).toBe(back.frames.length);
});

it('compresses large packets one by one when IDENTIFY asks for it, and sends small ones as text', async () => {
	const gateway = await GatewayProcess.start({ shards: 1 });
	const client = await Client.ready(gateway, 0, { compress: true });
	expect(client.binaryMessages).toBeGreaterThan(0);
	expect(client.binaryMessages).toBeLessThan(client.frames.length);
});

it.each([
	['zlib-stream', { compression: CompressionMethod.ZlibNative }],
	['identify', { useIdentifyCompression: true }],
])('serves @discordjs/ws with %s compression', async (_, compression) => {
	const gateway = await GatewayProcess.start({ shards: 1 });
	const manager = new WebSocketManager({
		token: gateway.simulator.token,
		intents,
		shardCount: 1,
		rest: { get: async () => ({ ...gateway.config.gateway, url: `ws://127.0.0.1:${gateway.port}` }) } as never,
		...compression,
	});
	onTestFinished(() => manager.destroy());
	const numbers: number[] = [];
	manager.on(WebSocketShardEvents.Dispatch, ({ t, d }) => {
		if (t === 'MESSAGE_CREATE') numbers.push(Number((d as { content: string }).content));
	});
	manager.on(WebSocketShardEvents.Error, () => {});
	await manager.connect();
	const guildId = gateway.guildOf(0);
	for (let n = 1; n <= 500; n++) gateway.simulator.emit('MESSAGE_CREATE', { content: String(n) }, { guildId });
	await waitFor('every message', () => numbers.length >= 500);
	expect(numbers).toEqual(Array.from({ length: 500 }, (_, n) => n + 1));
});
