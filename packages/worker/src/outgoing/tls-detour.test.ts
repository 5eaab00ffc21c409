import { createServer, type IncomingMessage } from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import tls from 'node:tls';
import { expect, it, onTestFinished } from 'vitest';
import { detourTls } from './tls-detour.js';

/** An echo of requests, and whatever is meant for `*.discord.example` led to it. */
async function setup(path = ''): Promise<void> {
	const server = createServer(({ url, method, headers }: IncomingMessage, response) => {
		response.end(`${method} ${url} of ${headers.host}`);
	});
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	const { connect } = tls;
	onTestFinished(() => {
		tls.connect = connect;
		server.closeAllConnections();
		server.close();
	});
	const { port } = server.address() as AddressInfo;
	detourTls((host) => (host.endsWith('.discord.example') ? new URL(`http://127.0.0.1:${port}${path}`) : undefined));
}

function get(url: string): Promise<string> {
	return new Promise((resolve, reject) => {
		https
			.get(url, { agent: false }, (response) => response.on('data', (data: Buffer) => resolve(data.toString())))
			.on('error', reject);
	});
}

it('leads a request for https to the plain server, which sees it as it was sent', async () => {
	await setup();
	expect(await get('https://API.discord.example/users?limit=1')).toBe('GET /users?limit=1 of api.discord.example');
});

it('puts the path of the server before the one of the request', async () => {
	await setup('/worker/3/key');
	expect(await get('https://gateway.discord.example/?v=10')).toBe('GET /worker/3/key?v=10 of gateway.discord.example');
	expect(await get('https://gateway.discord.example')).toBe('GET /worker/3/key of gateway.discord.example');
});

it('leaves other hosts alone', async () => {
	await setup();
	const port = await new Promise<number>((resolve) => {
		const closed = createServer().listen(0, '127.0.0.1', () => {
			const { port } = closed.address() as AddressInfo;
			closed.close(() => resolve(port));
		});
	});
	await expect(get(`https://localhost:${port}/`)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
});
