import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { FrameBatch } from './frame-batch.js';

/** What a `ws` client decodes from it. */
async function received(bytes: Buffer): Promise<[string, boolean][]> {
	const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false });
	onTestFinished(() => server.close());
	server.on('connection', (webSocket, { socket }) => {
		socket.write(bytes);
		webSocket.close();
	});
	await once(server, 'listening');
	const client = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
	const messages: [string, boolean][] = [];
	client.on('message', (data, isBinary) => messages.push([data.toString(), isBinary]));
	await once(client, 'close');
	return messages;
}

it('encodes WebSocket messages of every length', async () => {
	const batch = new FrameBatch();
	const texts = ['', 'a', 'ä€😀', 'x'.repeat(125), 'x'.repeat(126), 'é'.repeat(32_767), 'x'.repeat(65_535), 'x'.repeat(65_536)];
	for (const text of texts) batch.push(text);
	batch.push(Buffer.from([1, 2, 3]));
	expect(await received(batch.take())).toEqual([...texts.map((text) => [text, false]), ['\u0001\u0002\u0003', true]]);
});

it('is empty after a take', async () => {
	const batch = new FrameBatch();
	batch.push('one');
	batch.take();
	expect(batch.isEmpty).toBe(true);
	batch.push('two');
	expect(await received(batch.take())).toEqual([['two', false]]);
	batch.push('three');
	batch.clear();
	expect(batch.isEmpty).toBe(true);
});
