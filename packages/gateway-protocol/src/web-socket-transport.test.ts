// On a real pair of sockets: what the transport writes without `ws` must equal what `ws` would have written.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { inflateSync } from 'node:zlib';
import { waitFor } from '@shardctl/test-support';
import { expect, it, onTestFinished } from 'vitest';
import WebSocket, { WebSocketServer } from 'ws';
import { codecFor } from './compression/codecs.js';
import { WebSocketTransport } from './web-socket-transport.js';

async function pair({ maxQueuedBytes = 1e9, compression = 'none' as Parameters<typeof codecFor>[0] } = {}) {
	const http = createServer();
	const server = new WebSocketServer({ noServer: true, perMessageDeflate: false });
	await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
	const accepted = new Promise<{ webSocket: WebSocket; socket: Duplex }>((resolve) => {
		http.on('upgrade', (request, socket, head) =>
			server.handleUpgrade(request, socket, head, (webSocket) => resolve({ webSocket, socket })),
		);
	});
	const client = new WebSocket(`ws://127.0.0.1:${(http.address() as AddressInfo).port}`);
	const heard: (string | Buffer)[] = [];
	client.on('message', (data: Buffer, isBinary) => heard.push(isBinary ? data : data.toString()));
	client.on('error', () => {});
	const closed = new Promise<number>((resolve) => client.once('close', resolve));
	const opened = new Promise((resolve) => client.once('open', resolve));
	const { webSocket, socket } = await accepted;
	await opened;
	let overflows = 0;
	const transport = new WebSocketTransport({
		webSocket,
		socket,
		codec: codecFor(compression),
		maxQueuedBytes,
		onOverflow: () => {
			overflows++;
			transport.terminate();
		},
	});
	onTestFinished(async () => {
		transport.dispose();
		webSocket.terminate();
		client.terminate();
		await new Promise((resolve) => http.close(resolve));
	});
	return { transport, webSocket, client, heard, closed, overflows: () => overflows };
}

it('sends the frames of one tick in order, for every form of the length field', async () => {
	const { transport, heard } = await pair();
	const frames = [0, 1, 125, 126, 127, 65_535, 65_536, 200_000].map((length) => 'ä'.repeat(length));
	for (const frame of frames) transport.send(frame);
	await waitFor('all frames', () => heard.length === frames.length);
	expect(heard).toEqual(frames);
});

it('sends waiting frames before it closes, and nothing after', async () => {
	const { transport, heard, closed } = await pair();
	transport.send('last');
	transport.close(4000, 'enough');
	transport.send('too late');
	expect(await closed).toBe(4000);
	expect(heard).toEqual(['last']);
});

it('discards waiting frames when the connection is dropped', async () => {
	const { transport, heard, closed } = await pair();
	transport.send('never');
	transport.terminate();
	expect(await closed).toBe(1006);
	expect(heard).toEqual([]);
});

it("compresses larger packets from the client's request on", async () => {
	const { transport, heard } = await pair();
	const large = JSON.stringify('x'.repeat(5000));
	transport.send(large);
	transport.enablePayloadCompression();
	transport.send('{"op":11}');
	transport.send(large);
	await waitFor('all frames', () => heard.length === 3);
	expect(heard.slice(0, 2)).toEqual([large, '{"op":11}']);
	expect(inflateSync(heard[2] as Buffer).toString()).toBe(large);
});

it('leaves a compressed connection unchanged when payload compression is requested', async () => {
	const { transport, heard } = await pair({ compression: 'zlib-stream' });
	transport.send('{"n":1}');
	transport.enablePayloadCompression();
	transport.send('{"n":2}');
	await waitFor('both frames', () => heard.length === 2);
	for (const message of heard) expect((message as Buffer).subarray(-4)).toEqual(Buffer.from([0, 0, 0xff, 0xff]));
});

it('reports a full buffer once', async () => {
	const { transport, client, overflows } = await pair({ maxQueuedBytes: 1_000_000 });
	client.pause();
	for (let n = 0; n < 1000 && overflows() === 0; n++) {
		transport.send('x'.repeat(100_000));
		await new Promise((resolve) => setImmediate(resolve));
	}
	expect(overflows()).toBe(1);
});
