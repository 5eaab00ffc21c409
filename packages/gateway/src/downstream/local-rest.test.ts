import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { WorkerPaths } from '@shardctl/core';
import { hostileRequests, seededRandom } from '@shardctl/test-support';
import { describe, expect, it, onTestFinished, test } from 'vitest';
import { LocalRest } from './local-rest.js';

async function listen(listener: (request: IncomingMessage, response: ServerResponse) => unknown): Promise<number> {
	// A request that its client aborts gets no response.
	const server = createServer(
		(request, response) => void Promise.resolve(listener(request, response)).catch(() => response.destroy()),
	);
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	onTestFinished(async () => {
		server.closeAllConnections();
		await new Promise((resolve) => server.close(resolve));
	});
	return (server.address() as AddressInfo).port;
}

async function bodyOf(request: IncomingMessage): Promise<string> {
	let body = '';
	for await (const chunk of request) body += String(chunk);
	return body;
}

interface Seen {
	method: string | undefined;
	url: string | undefined;
	headers: IncomingMessage['headers'];
	body: string;
}

const paths = new WorkerPaths('secret');
const authorization = 'Bot token';

async function start({ api, keyed = false }: { api?: string; keyed?: boolean } = {}) {
	const seen: Seen[] = [];
	const discord = await listen(async (request, response) => {
		const { method, url, headers } = request;
		const body = await bodyOf(request);
		seen.push({ method, url, headers, body });
		response.writeHead(429, {
			'x-ratelimit-remaining': '0',
			'content-type': 'application/json',
			'x-hop': 'x',
			connection: 'x-hop',
		});
		response.end(JSON.stringify({ asked: url, as: headers.authorization }));
	});
	const refused: string[] = [];
	const rest = new LocalRest({
		api: api ?? `http://127.0.0.1:${discord}/api/`,
		token: 'token',
		paths: keyed ? paths : new WorkerPaths(undefined),
		totalShards: () => 3,
		gatewayUrl: () => 'ws://127.0.0.1:7',
		onRefused: (detail) => refused.push(detail),
	});
	onTestFinished(() => rest.stop());
	const port = await listen((request, response) => rest.answer(request, response));
	return { port, url: `http://127.0.0.1:${port}`, seen, refused };
}

/** What the server returns for raw bytes, until it closes the connection or has responded `responses` times. */
function raw(port: number, text: string, responses = 1): Promise<string> {
	return new Promise((resolve) => {
		const socket = connect(port, '127.0.0.1');
		let got = '';
		socket.on('error', () => {});
		socket.on('data', (data) => {
			got += data.toString('latin1');
			if (got.split('HTTP/1.1 ').length > responses && /(?:}|0\r\n\r\n)$/.test(got)) socket.destroy();
		});
		socket.once('close', () => resolve(got));
		socket.write(text, 'latin1');
	});
}

const statusOf = (text: string) => Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1]);
const head = (line: string, headers: string[] = []) =>
	`${[`${line} HTTP/1.1`, 'Host: x', `Authorization: ${authorization}`, ...headers].join('\r\n')}\r\n\r\n`;
const chunked = (body: string) => `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;

it.each([
	['/gateway/bot', 'ws://127.0.0.1:7'],
	['/api/gateway', 'ws://127.0.0.1:7'],
	['/worker/12/api/v10/gateway/bot', 'ws://127.0.0.1:7/worker/12'],
	['/worker/12/v9/gateway/bot', 'ws://127.0.0.1:7/worker/12'],
])('responds to GET %s itself', async (path, url) => {
	const gateway = await start();
	const answer = await (await fetch(gateway.url + path, { headers: { authorization } })).json();
	const limit = { total: 1000, remaining: 1000, reset_after: 0, max_concurrency: 3 };
	expect(answer).toEqual({ url, shards: 3, session_start_limit: limit });
	expect(gateway.seen).toEqual([]);
});

it("forwards everything else to Discord and back, without the worker's path", async () => {
	const { url, seen } = await start();
	const request = { method: 'POST', headers: { authorization, 'content-type': 'text/plain' }, body: 'hello' };
	const answer = await fetch(`${url}/worker/4/api/v10/channels/1/messages?limit=5&a=%2Fb`, request);
	expect([answer.status, answer.headers.get('x-ratelimit-remaining'), await answer.json()]).toEqual([
		429,
		'0',
		{ asked: '/api/v10/channels/1/messages?limit=5&a=%2Fb', as: authorization },
	]);
	expect(seen).toMatchObject([{ method: 'POST', url: '/api/v10/channels/1/messages?limit=5&a=%2Fb', body: 'hello' }]);
});

it('responds with 502 when Discord cannot be reached', async () => {
	const { url } = await start({ api: 'http://127.0.0.1:1' });
	expect((await fetch(`${url}/api/v10/users/@me`, { headers: { authorization } })).status).toBe(502);
});

describe('authorization', () => {
	test.each([
		['no token', undefined],
		['an empty one', ''],
		['another', 'Bot other'],
		['a part of it', 'Bot toke'],
		['another kind', 'Bearer token'],
	])('finding 2: responds with 401 to %s, and forwards nothing', async (_, given) => {
		const { url, seen, refused } = await start();
		for (const path of ['/api/v10/users/@me', '/api/v10/gateway/bot', '/worker/1/api/v10/users/@me']) {
			const answer = await fetch(url + path, given === undefined ? {} : { headers: { authorization: given } });
			expect([path, answer.status]).toEqual([path, 401]);
		}
		expect(seen).toEqual([]);
		expect(refused).toHaveLength(3);
	});

	test('accepts the path that only a worker knows, because interaction responses carry no token', async () => {
		const { url, seen } = await start({ keyed: true });
		const reply = `/api/v10/interactions/1/secret/callback`;
		expect((await fetch(url + paths.of(4) + reply, { method: 'POST', body: '{}' })).status).toBe(429);
		expect((await fetch(`${url}/worker/4${reply}`, { method: 'POST', body: '{}' })).status).toBe(401);
		expect((await fetch(`${url}${new WorkerPaths('x').of(4)}${reply}`, { method: 'POST', body: '{}' })).status).toBe(401);
		expect(seen.map((each) => each.url)).toEqual([reply]);
	});
});

describe('framing', () => {
	test.each(['DELETE', 'POST', 'PUT', 'PATCH'])('finding 2: forwards a chunked body of %s as a body', async (method) => {
		const { port, seen } = await start();
		const smuggled = 'GET /api/smuggled HTTP/1.1\r\nHost: up\r\n\r\n';
		const text = head(`${method} /api/v10/x`, ['Transfer-Encoding: chunked']) + chunked(smuggled);
		expect(statusOf(await raw(port, text))).toBe(429);
		await raw(port, head('GET /api/v10/users/@me'));
		expect(seen.map(({ url, body }) => [url, body])).toEqual([
			['/api/v10/x', smuggled],
			['/api/v10/users/@me', ''],
		]);
	});

	test.each(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PROPFIND'])('finding 2: rejects a body of %s', async (method) => {
		const { port, seen } = await start();
		const smuggled = 'GET /api/smuggled HTTP/1.1\r\nHost: up\r\n\r\n';
		for (const framing of [
			['Transfer-Encoding: chunked', chunked(smuggled)],
			[`Content-Length: ${smuggled.length}`, smuggled],
		] as const) {
			const status = statusOf(await raw(port, head(`${method} /api/v10/x`, [framing[0]]) + framing[1]));
			expect([400, 405]).toContain(status);
		}
		expect(seen).toEqual([]);
	});

	test.each([
		['both framings', ['Transfer-Encoding: chunked', 'Content-Length: 5']],
		['two lengths', ['Content-Length: 5', 'Content-Length: 6']],
		['a length that is none', ['Content-Length: +5']],
		['another coding', ['Transfer-Encoding: gzip, chunked']],
		['a coding of its own', ['Transfer-Encoding: xchunked']],
		['a length over the limit', ['Content-Length: 999999999999']],
	])('finding 2: rejects %s', async (_, headers) => {
		const { port, seen } = await start();
		expect([400, 413, 501]).toContain(statusOf(await raw(port, `${head('DELETE /api/v10/x', headers)}0\r\n\r\nhello`)));
		expect(seen).toEqual([]);
	});

	test('finding 2: returns each response to its own client when clients share connections', async () => {
		const { port } = await start();
		const requests = hostileRequests(seededRandom(2));
		const wrong: string[] = [];
		let left = Number(process.env.FUZZ_INPUTS ?? 1000);
		const victim = async () => {
			while (left > 0) {
				const mine = `/api/v10/users/${left}`;
				const answer = (await (await fetch(`http://127.0.0.1:${port}${mine}`, { headers: { authorization } })).json()) as {
					asked: string;
				};
				if (answer.asked !== mine) wrong.push(`${mine} got ${answer.asked}`);
			}
		};
		const attacker = async () => {
			while (left-- > 0) {
				const body = left % 2 === 0 ? 'GET /api/smuggled HTTP/1.1\r\nHost: up\r\n\r\n' : 'x'.repeat(left % 50);
				const cut = left % 3 === 0 ? chunked(body).slice(0, -(left % 20) - 1) : chunked(body);
				if (left % 2 === 0) await requests.send(port);
				else await rawOnce(port, head(`DELETE /api/v10/x${left}`, ['Transfer-Encoding: chunked']) + cut);
			}
		};
		await Promise.all([victim(), attacker(), attacker(), attacker(), attacker()]);
		expect(wrong).toEqual([]);
	});
});

describe('headers and paths', () => {
	test('finding 18: does not forward hop-by-hop headers or headers that Connection names', async () => {
		const { port, seen } = await start();
		const answer = await raw(
			port,
			head('POST /api/v10/x', [
				'Connection: X-Secret, keep-alive, Content-Length',
				'X-Secret: 1',
				'TE: trailers',
				'Content-Length: 0',
			]),
		);
		expect(Object.keys(seen[0]?.headers ?? {})).not.toEqual(expect.arrayContaining(['x-secret']));
		expect(seen[0]?.headers).not.toHaveProperty('te');
		expect(answer).not.toMatch(/x-hop/i);
	});

	test.each([
		'/api/../../admin',
		'/api/%2e%2e/admin',
		'/api/%2E./%2e%2e/admin',
		'/api/v10/..%2f..%2fadmin',
		'/api/v10/..%5c..%5cadmin',
		'/api/v10/.',
		'/api/v10/%zz',
		'/worker/1/../../admin',
	])('finding 18: rejects %s', async (path) => {
		const { port, seen } = await start();
		expect(statusOf(await raw(port, head(`GET ${path}`)))).toBe(400);
		expect(seen).toEqual([]);
	});

	test.each(['//', '//evil.example/', '*', 'http://evil.example/', 'http://[', '/\\', `/${'x'.repeat(9000)}`])(
		'finding 1: responds with 400 to the target %s',
		async (target) => {
			const { port, seen } = await start();
			expect(statusOf(await raw(port, head(`GET ${target}`)))).toBe(400);
			expect(seen).toEqual([]);
		},
	);
});

/** Sends bytes and ends the stream; resolves when the connection is closed. */
function rawOnce(port: number, text: string): Promise<void> {
	return new Promise((resolve) => {
		const socket = connect(port, '127.0.0.1');
		socket.on('error', () => {});
		socket.once('close', () => resolve());
		socket.once('data', () => socket.destroy());
		socket.end(text, 'latin1');
	});
}
