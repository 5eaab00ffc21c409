// The protocol on real sockets, with a backend of ten lines: the server as a resident gateway uses it.
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { waitFor } from '@shardctl/test-support';
import { expect, onTestFinished, test } from 'vitest';
import WebSocket from 'ws';
import type { GatewayServerOptions } from './gateway-server.js';
import { EncodedDispatch, type GatewayObservation, GatewayServer, type GatewaySession } from './index.js';

async function serve(options: Partial<GatewayServerOptions> = {}) {
	const observed: GatewayObservation[] = [];
	const started: GatewaySession[] = [];
	const gateway = new GatewayServer({
		backend: {
			authenticate: (token) => token === 'good',
			grantedIntents: () => 0,
			identify: () => ({ accept: true }),
			sessionStarted: (session) => {
				started.push(session);
				session.dispatch(EncodedDispatch.of('READY', { session_id: session.id }));
			},
			sessionEnded: () => {},
			request: () => {},
		},
		observe: (observation) => observed.push(observation),
		...options,
	});
	const http = createServer();
	http.on('upgrade', (request, socket, head) => gateway.handleUpgrade(request, socket, head));
	await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
	const stop = async () => {
		await gateway.stop();
		http.closeAllConnections();
		await new Promise((resolve) => http.close(resolve));
	};
	onTestFinished(stop);
	return { gateway, observed, started, url: `ws://127.0.0.1:${(http.address() as AddressInfo).port}/?v=10&encoding=json` };
}

async function identified(url: string): Promise<{ socket: WebSocket; closed: Promise<number>; received: () => number }> {
	const socket = new WebSocket(url);
	let received = 0;
	socket.on('message', () => received++);
	socket.on('error', () => {});
	const closed = new Promise<number>((resolve) => socket.once('close', resolve));
	await new Promise((resolve) => socket.once('open', resolve));
	socket.send(JSON.stringify({ op: 2, d: { token: 'good', properties: {}, intents: 0 } }));
	await waitFor('READY', () => received >= 2);
	return { socket, closed, received: () => received };
}

test('disconnects a client that reads too slowly at the limit, and its session can be resumed', async () => {
	const { gateway, observed, started, url } = await serve({ maxQueuedBytes: 1024 * 1024 });
	const { socket } = await identified(url);
	socket.pause();
	const event = EncodedDispatch.of('BULK', 'x'.repeat(64 * 1024));
	for (let n = 0; n < 1000 && gateway.connections.size > 0; n++) {
		started[0]?.dispatch(event);
		await new Promise((resolve) => setImmediate(resolve));
	}
	expect(gateway.connections.size).toBe(0);
	expect(observed.at(-1)).toMatchObject({ type: 'close', by: 'server', code: 1006, detail: 'too slow' });
	expect([gateway.sessions.size, started[0]?.connected]).toEqual([1, false]);
	socket.terminate();
});

test('stopping drops every connection and ends every session', async () => {
	const { gateway, observed, url } = await serve();
	const [one, two] = [await identified(url), await identified(url)];
	one.socket.terminate();
	await waitFor('the end of the first connection', () => gateway.connections.size === 1);
	await gateway.stop();
	expect(await two.closed).toBe(1006);
	expect([gateway.connections.size, gateway.sessions.size]).toEqual([0, 0]);
	expect(observed.filter(({ type }) => type === 'session-end').map((end) => 'end' in end && end.end)).toEqual([
		'stopped',
		'stopped',
	]);
});

test('delivers all frames of one tick, in order', async () => {
	const { started, url } = await serve();
	const { socket } = await identified(url);
	const numbers: number[] = [];
	socket.on('message', (data: Buffer) => numbers.push((JSON.parse(data.toString()) as { s: number }).s));
	for (let n = 0; n < 5000; n++) started[0]?.dispatch(EncodedDispatch.of('E', n));
	await waitFor('all frames', () => numbers.length === 5000);
	expect(numbers).toEqual(Array.from({ length: 5000 }, (_, n) => n + 2));
});

test('runs a layer between the protocol and the wire', async () => {
	const { url } = await serve({
		layer: () => ({
			outgoing: (wire) => ({
				...wire,
				send: (frame) => wire.send(frame.replace('READY', 'STEADY')),
				close: wire.close.bind(wire),
				terminate: wire.terminate.bind(wire),
			}),
			incoming: (receiver) => receiver,
		}),
	});
	const socket = new WebSocket(url);
	const types: unknown[] = [];
	socket.on('message', (data: Buffer) => types.push((JSON.parse(data.toString()) as { t: unknown }).t));
	await new Promise((resolve) => socket.once('open', resolve));
	socket.send(JSON.stringify({ op: 2, d: { token: 'good', properties: {}, intents: 0 } }));
	await waitFor('READY', () => types.length === 2);
	expect(types).toEqual([null, 'STEADY']);
	socket.terminate();
});

test('responds to an outdated version with 400, and to an unknown version with a close code', async () => {
	const { gateway, url } = await serve();
	const attempt = (query: string) =>
		new Promise<number | string>((resolve) => {
			const socket = new WebSocket(url.replace(/\?.*/, query));
			socket.on('unexpected-response', (_, response) => {
				resolve(`HTTP ${response.statusCode}`);
				response.destroy();
			});
			socket.on('error', () => {});
			socket.once('close', resolve);
		});
	expect(await attempt('?v=3&encoding=json')).toBe('HTTP 400');
	expect(await attempt('?v=11&encoding=json')).toBe(4012);
	expect(await attempt('?v=10&encoding=etf')).toBe(4002);
	expect(gateway.connections.size).toBe(0);
});

test.each(['//', '//[', 'http://[', '*', '/\\', 'x'])(
	'responds with 400 to an upgrade for %s, and serves the next one',
	async (target) => {
		const { url } = await serve();
		const { port } = new URL(url);
		const socket = connect(Number(port), '127.0.0.1');
		socket.end(
			`GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
		);
		let answer = '';
		for await (const piece of socket) answer += String(piece);
		expect(answer).toMatch(/^HTTP\/1\.1 400 /);
		const { socket: client } = await identified(url);
		client.terminate();
	},
);

test('a failure of the backend ends only the affected connection', async () => {
	let fails = true;
	const { url, observed } = await serve({
		backend: {
			authenticate: () => {
				if (fails) throw new Error('a bug');
				return true;
			},
			grantedIntents: () => 0,
			identify: () => ({ accept: true }),
			sessionStarted: (session) => session.dispatch(EncodedDispatch.of('READY', { session_id: session.id })),
			sessionEnded: () => {},
			request: () => {},
		},
	});
	const socket = new WebSocket(url);
	socket.on('open', () => socket.send(JSON.stringify({ op: 2, d: { token: 'good', properties: {}, intents: 0 } })));
	await new Promise((resolve) => socket.once('close', resolve));
	expect(observed).toContainEqual(expect.objectContaining({ type: 'close', detail: 'the gateway failed to handle it' }));
	fails = false;
	const { socket: client } = await identified(url);
	client.terminate();
});

test('closes the oldest connection without a session for one that is too many, and no other', async () => {
	const closed: string[] = [];
	const { gateway, observed, url } = await serve({ maxUnidentified: () => 20, onUnidentifiedClosed: (why) => closed.push(why) });
	const first = await identified(url);
	const idle = Array.from({ length: 50 }, () => {
		const socket = new WebSocket(url);
		socket.on('error', () => {});
		return new Promise<number>((resolve) => socket.once('close', resolve));
	});
	expect(await Promise.race(idle)).toBe(4000);
	await waitFor('all of them', () => closed.length === 30);
	// They are served as long as they wait, and so is one that identifies.
	const second = await identified(url);
	expect([gateway.connections.size, first.socket.readyState, second.socket.readyState]).toEqual([21, 1, 1]);
	expect(closed[0]).toBe('it did not identify, and 20 newer ones wait as well');
	expect(observed.filter((entry) => entry.type === 'close' && entry.code === 4000)).toHaveLength(31);
});
