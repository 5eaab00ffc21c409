// Which clients the simulator accepts: security finding 16, with its variants.
import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import WebSocket from 'ws';
import { connected, RawClient, rest, simulator } from './raw-client.js';

/** Sends a request exactly as written here, and resolves with the status of the response. */
async function status(port: number, head: string): Promise<number> {
	const socket = connect(port, '127.0.0.1');
	socket.write(`${head}\r\nConnection: close\r\n\r\n`);
	let answer = '';
	for await (const piece of socket) answer += String(piece);
	return Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1]);
}

const upgrade = (target: string, headers = '') =>
	`GET ${target} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==${headers}`;

describe('a name that points at this machine (DNS rebinding)', () => {
	test.each([
		'evil.example',
		'evil.example:80',
		'127.0.0.1.evil.example',
		'localhost.evil.example',
		'',
		'a@127.0.0.1',
		'127.0.0.1 x',
	])('rejects Host %s everywhere', async (host) => {
		const sim = await simulator();
		for (const path of ['/simulator/state', '/api/v10/gateway']) {
			expect([path, await status(sim.port, `GET ${path} HTTP/1.1\r\nHost: ${host}`)]).toEqual([path, 403]);
		}
	});

	test.each(['127.0.0.1', '127.0.0.1:1', '127.7.7.7', '[::1]:38300', 'localhost', 'LOCALHOST:9', '10.0.0.7'])(
		'serves Host %s',
		async (host) => {
			const sim = await simulator();
			expect(await status(sim.port, `GET /simulator/state HTTP/1.1\r\nHost: ${host}`)).toBe(200);
		},
	);

	test('serves an allowed name', async () => {
		const sim = await simulator({ allowedHosts: ['Discord'] });
		expect(await status(sim.port, 'GET /simulator/state HTTP/1.1\r\nHost: discord:38300')).toBe(200);
	});
});

describe('a web page', () => {
	test.each(['http://evil.example', 'http://127.0.0.1:1', 'null'])('with Origin %s is rejected', async (origin) => {
		const sim = await simulator();
		expect(await status(sim.port, `GET /simulator/state HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: ${origin}`)).toBe(403);
		expect(await status(sim.port, `GET /api/v10/gateway HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: ${origin}`)).toBe(403);
		const socket = new WebSocket(`ws://127.0.0.1:${sim.port}/?v=10`, { origin });
		const error = await new Promise<Error>((resolve) => socket.once('error', resolve));
		expect(error.message).toContain('403');
	});
});

describe('a control token', () => {
	const controlToken = 'a-control-token-of-a-test';

	test("is required for every endpoint of the control API, and for none of Discord's", async () => {
		const sim = await simulator({ controlToken });
		const call = (headers: Record<string, string> = {}, path = '/state') =>
			fetch(`http://127.0.0.1:${sim.port}/simulator${path}`, { headers }).then(({ status: code }) => code);
		expect(await call()).toBe(401);
		expect(await call({}, '')).toBe(401);
		expect(await call({ authorization: 'Bearer wrong' })).toBe(401);
		expect(await call({ authorization: `Bot ${sim.token}` })).toBe(401);
		expect(await call({ authorization: `Bearer ${controlToken}` })).toBe(200);
		await connected(sim);
		expect((await rest(sim, '/users/@me')).status).toBe(200);
		expect((await rest(sim, '/users/@me', { token: controlToken })).status).toBe(401);
	});
});

describe('a request target that is no path', () => {
	test.each(['//', '//[', '//evil.example/', 'http://[', 'http://evil.example/', '*', '/\\x', '?'])(
		'%s gets 400, as a request and as an upgrade, and the simulator keeps running',
		async (target) => {
			const sim = await simulator();
			expect(await status(sim.port, `GET ${target} HTTP/1.1\r\nHost: 127.0.0.1`)).toBe(400);
			const socket = connect(sim.port, '127.0.0.1');
			socket.write(`${upgrade(target)}\r\nConnection: Upgrade\r\n\r\n`);
			let answer = '';
			for await (const piece of socket) answer += String(piece);
			expect(answer).toMatch(/^HTTP\/1\.1 400 /);
			await RawClient.connect(sim);
		},
	);

	test('a path that is not the gateway gets 404 as an upgrade', async () => {
		const sim = await simulator();
		expect(
			await status(
				sim.port,
				upgrade('/simulator/state').replace('Upgrade: websocket', 'Upgrade: websocket\r\nConnection: Upgrade'),
			),
		).toBe(404);
	});
});

describe('any token', () => {
	test('is accepted by REST and by the gateway if configured', async () => {
		const sim = await simulator({ anyToken: true });
		expect((await rest(sim, '/users/@me', { token: 'a.b.c' })).status).toBe(200);
		expect((await rest(sim, '/users/@me', { token: null })).status).toBe(401);
		const client = await connected(sim, { token: 'a.b.c' });
		expect(client.events('READY')).toHaveLength(1);
		const other = await RawClient.connect(sim);
		other.identify({ token: '' });
		expect(await other.closed).toBe(4004);
	});

	test('is rejected by default', async () => {
		const sim = await simulator();
		expect((await rest(sim, '/users/@me', { token: 'a.b.c' })).status).toBe(401);
		const client = await RawClient.connect(sim);
		client.identify({ token: 'a.b.c' });
		expect(await client.closed).toBe(4004);
	});
});
