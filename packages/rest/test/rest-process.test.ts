// The REST process of its own: what it sends to Discord, and what it answers, on a server that follows the test's script.
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createNetServer } from 'node:net';
import { type Clock, type RestNotice, systemClock, WorkerPaths } from '@shardctl/core';
import { type FakeClock, fakeClock, slowClients, waitFor } from '@shardctl/test-support';
import { describe, expect, it, onTestFinished } from 'vitest';
import { RestServer } from '../src/process/rest-server.js';

type Handler = (request: IncomingMessage, response: ServerResponse, body: Buffer) => void;

const paths = new WorkerPaths('secret');
const channel = '/v10/channels/123456789012345678/messages';

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
	const pieces: Buffer[] = [];
	for await (const piece of request) pieces.push(piece as Buffer);
	return Buffer.concat(pieces);
}

async function start(
	answer: Handler,
	{ perSecond = 50, invalidLimit, clock = systemClock }: { perSecond?: number; invalidLimit?: number; clock?: Clock } = {},
) {
	const seen: { method: string; url: string; headers: IncomingMessage['headers']; bytes: number }[] = [];
	const discord = createServer((request, response) => {
		void bodyOf(request).then(
			(body) => {
				seen.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers, bytes: body.length });
				answer(request, response, body);
			},
			() => response.destroy(),
		);
	});
	await new Promise<void>((resolve) => discord.listen(0, '127.0.0.1', resolve));
	const notices: RestNotice[] = [];
	const server = new RestServer({
		config: {
			epoch: 1,
			port: 0,
			api: `http://127.0.0.1:${(discord.address() as AddressInfo).port}/api`,
			pathSecret: 'secret',
			globalPerSecond: perSecond,
		},
		token: 'token',
		clock,
		notice: (notice) => notices.push(notice),
		...(invalidLimit === undefined ? {} : { invalidLimit }),
	});
	const port = await server.start();
	onTestFinished(async () => {
		discord.closeAllConnections();
		let isOver = false;
		const stopped = server.stop().finally(() => {
			isOver = true;
		});
		while ('advance' in clock && !isOver) await (clock as FakeClock).advance(1000);
		await stopped;
		await new Promise((resolve) => discord.close(resolve));
	});
	const base = `http://127.0.0.1:${port}`;
	return { seen, notices, server, discord, base, url: base + paths.of(1) };
}

const ok: Handler = (_request, response) => response.end('{}');
const post = (url: string, body: RequestInit['body'] = '{}', headers: Record<string, string> = {}) =>
	fetch(url, { method: 'POST', body, headers: { authorization: 'Bot token', 'content-type': 'application/json', ...headers } });

describe('a request', () => {
	it.each([200, 400, 401, 403, 404, 413, 500, 502, 503])(
		'is answered with %d as Discord gave it, and sent once',
		async (status) => {
			const { url, seen } = await start((_request, response) => {
				response.writeHead(status, {
					'x-ratelimit-bucket': 'b',
					'content-type': 'application/json',
					'set-cookie': ['a=1', 'b=2'],
				});
				response.end('{"code":5}');
			});
			const answer = await post(`${url}${channel}?wait=true&q=a%2Fb`, '{"content":"x"}', { 'x-audit-log-reason': 'why%20not' });
			expect([answer.status, await answer.text(), answer.headers.get('x-ratelimit-bucket')]).toEqual([status, '{"code":5}', 'b']);
			expect(answer.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
			expect(seen).toMatchObject([
				{
					method: 'POST',
					url: `/api${channel}?wait=true&q=a%2Fb`,
					headers: { authorization: 'Bot token', 'x-audit-log-reason': 'why%20not', 'content-length': '15' },
				},
			]);
		},
	);

	it('may be answered without a body', async () => {
		const { url } = await start((_request, response) => response.writeHead(204).end());
		const answer = await fetch(`${url}/v10/channels/123456789012345678`, { method: 'DELETE' });
		expect([answer.status, await answer.text()]).toEqual([204, '']);
	});

	it('keeps its compressed answer as it is', async () => {
		const { gzipSync } = await import('node:zlib');
		const { url } = await start((_request, response) =>
			response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('hello')),
		);
		expect(await (await fetch(`${url}/v10/users/@me`)).text()).toBe('hello');
	});

	it('is sent again after a 429, with its body', async () => {
		let answers = 0;
		const { url, seen, server } = await start((_request, response) => {
			if (answers++ > 0) {
				response.end('{}');
				return;
			}
			response.writeHead(429, { 'retry-after': '0.05', 'x-ratelimit-scope': 'shared' });
			response.end('{"retry_after":0.05}');
		});
		expect((await post(url + channel, 'x'.repeat(1000))).status).toBe(200);
		expect(seen.map(({ bytes }) => bytes)).toEqual([1000, 1000]);
		expect(server.figures()).toMatchObject({ requests: 1, limited: 1, invalid: 0, queued: 0, bufferedBytes: 0 });
	});

	it.each([
		['that is longer than a library waits', { 'retry-after': '600' }],
		['without a time', {}],
	])('is answered with a 429 %s', async (_, headers) => {
		const { url, seen } = await start((_request, response) => response.writeHead(429, headers).end('{"retry_after":600}'));
		const answer = await post(url + channel);
		expect([answer.status, await answer.text()]).toEqual([429, '{"retry_after":600}']);
		expect(seen).toHaveLength(1);
	});

	it('responds with the time to wait where a bucket is used up for long', async () => {
		const { url, seen } = await start((_request, response) =>
			response
				.writeHead(200, {
					'x-ratelimit-limit': '2',
					'x-ratelimit-remaining': '0',
					'x-ratelimit-reset-after': '600',
					'x-ratelimit-bucket': 'b',
				})
				.end('{}'),
		);
		await post(url + channel);
		// The first one taught the bucket's name; the second one its state.
		await post(url + channel);
		const answer = await post(url + channel);
		const body = (await answer.json()) as { retry_after: number };
		expect([answer.status, answer.headers.get('x-ratelimit-scope'), answer.headers.has('via')]).toEqual([429, 'shared', true]);
		expect(body.retry_after).toBeGreaterThan(500);
		expect(seen).toHaveLength(2);
	});

	it('is broken off where the connection to Discord breaks, and not sent again', async () => {
		const { url, seen } = await start((request) => request.socket.destroy());
		await expect(post(url + channel)).rejects.toThrow('fetch failed');
		expect(seen).toHaveLength(1);
	});

	it('is answered with 502 where Discord cannot be reached', async () => {
		const { url, discord } = await start(ok);
		await new Promise<void>((resolve) => discord.close(() => resolve()));
		const answer = await post(url + channel);
		expect([answer.status, await answer.text()]).toEqual([502, '{"message":"Discord cannot be reached","code":0}']);
	});

	it('of one bucket waits for those before it, also while the bucket is not known yet', async () => {
		const answers: ServerResponse[] = [];
		const { base, seen, server } = await start((_request, response) => answers.push(response));
		const asked = [1, 1, 1, 2].map((worker) => post(base + paths.of(worker) + channel));
		await waitFor('the first at Discord', () => answers.length === 1);
		await waitFor('the others', () => server.figures().queued === 3);
		for (let n = 0; n < asked.length; n++) {
			await waitFor('the next at Discord', () => answers.length === n + 1);
			expect(seen).toHaveLength(n + 1);
			answers[n]?.writeHead(200, { 'x-ratelimit-bucket': 'b', 'x-ratelimit-limit': '9', 'x-ratelimit-remaining': '5' }).end('{}');
		}
		await Promise.all(asked);
	});

	it('is broken off where the answer of Discord breaks off', async () => {
		const held: ServerResponse[] = [];
		const { url } = await start((_request, response) => {
			response.writeHead(200, { 'content-length': '100' });
			response.write('half');
			held.push(response);
		});
		const answer = await fetch(`${url}/v10/users/@me`);
		held[0]?.destroy();
		await expect(answer.text()).rejects.toThrow('terminated');
	});

	it('that has waited for almost as long as a library waits is answered with 429, and never sent', async () => {
		const clock = fakeClock();
		const limits = { 'x-ratelimit-limit': '2', 'x-ratelimit-remaining': '0', 'x-ratelimit-bucket': 'b' };
		const { url, seen, server } = await start(
			// Its queue waits in real time, which does not matter here.
			(_request, response) => response.writeHead(200, { ...limits, 'x-ratelimit-reset-after': '8' }).end('{}'),
			{ clock },
		);
		await post(url + channel);
		await post(url + channel);
		const waits = post(url + channel);
		await waitFor('it to wait', () => server.figures().queued === 1);
		await clock.advance(10_000);
		const answer = await waits;
		expect([answer.status, answer.headers.get('retry-after'), answer.headers.get('x-ratelimit-scope')]).toEqual([
			429,
			'1',
			'shared',
		]);
		expect(seen).toHaveLength(2);
	});

	it('is cancelled at Discord when the worker cancels it', async () => {
		let closed = false;
		const { url, seen, server } = await start((_request, response) => response.on('close', () => (closed = true)));
		const caller = new AbortController();
		const answer = fetch(url + channel, { method: 'POST', body: '{}', signal: caller.signal });
		await waitFor('the request at Discord', () => seen.length === 1);
		caller.abort();
		await expect(answer).rejects.toThrow('aborted');
		await waitFor('the end at Discord', () => closed);
		await waitFor('the end here', () => server.figures().bufferedBytes === 0);
	});

	it('is never sent when the worker cancels it while it waits', async () => {
		const clock = fakeClock();
		const { url, seen, server } = await start(ok, { perSecond: 1, clock });
		await post(url + channel);
		const caller = new AbortController();
		const waits = fetch(`${url}/v10/users/@me`, { signal: caller.signal });
		await waitFor('the second to wait', () => server.figures().queued === 1);
		caller.abort();
		await expect(waits).rejects.toThrow('aborted');
		await waitFor('its end', () => server.figures().queued === 0);
		await clock.advance(1002);
		await post(`${url}/v10/guilds/123456789012345678/roles`);
		expect(seen.map(({ method }) => method)).toEqual(['POST', 'POST']);
	});

	it.each([24, 40])('may have a body of %d MiB', async (mebibytes) => {
		const { url, seen } = await start(ok);
		const form = new FormData();
		form.append('payload_json', '{}');
		form.append('files[0]', new Blob([new Uint8Array(mebibytes * 2 ** 20)]), 'a.bin');
		const answer = await fetch(url + channel, { method: 'POST', body: form });
		expect(answer.status).toBe(200);
		expect(seen[0]?.bytes).toBeGreaterThan(mebibytes * 2 ** 20);
	});

	it('of more than 25 MiB is sent once, and its 429 is the worker’s', async () => {
		const { url, seen } = await start((_request, response) =>
			response.writeHead(429, { 'retry-after': '0.05' }).end('{"retry_after":0.05}'),
		);
		expect((await post(url + channel, new Uint8Array(26 * 2 ** 20))).status).toBe(429);
		expect(seen).toHaveLength(1);
	});

	it('of unknown length is sent with its length', async () => {
		const { base, seen } = await start(ok);
		const status = await new Promise((resolve, reject) => {
			const request = httpRequest(`${base}${paths.of(1)}${channel}`, { method: 'POST' }, (response) => {
				response.resume();
				resolve(response.statusCode);
			});
			request.on('error', reject);
			request.write('abc');
			setImmediate(() => request.end('def'));
		});
		expect([status, seen[0]?.headers['content-length'], seen[0]?.headers['transfer-encoding']]).toEqual([200, '6', undefined]);
	});
});

describe('interactions', () => {
	it('do not wait for the global limit', async () => {
		const clock = fakeClock();
		const { url, seen, server } = await start(ok, { perSecond: 1, clock });
		await post(url + channel);
		const waits = fetch(`${url}/v10/users/@me`);
		await waitFor('the second to wait', () => server.figures().queued === 1);
		expect((await post(`${url}/v10/interactions/1/token/callback`)).status).toBe(200);
		expect(seen.map(({ url: path }) => path.slice(0, 22))).toEqual(['/api/v10/channels/1234', '/api/v10/interactions/']);
		await clock.advance(1002);
		expect((await waits).status).toBe(200);
	});
});

describe('the guard', () => {
	it.each([401, 403, 429])(
		'lets only reads and interactions pass close to the limit of invalid requests, and reports it once: %d',
		async (status) => {
			const { url, seen, notices, server } = await start((_request, response) => response.writeHead(status).end('{}'), {
				invalidLimit: 10,
			});
			for (let n = 0; n < 8; n++) await fetch(`${url}/v10/users/${n}`);
			const refused = await post(url + channel);
			expect([refused.status, ((await refused.json()) as { message: string }).message]).toEqual([
				423,
				'Discord answered 8 requests of the last 10 minutes with 401, 403 or 429, and blocks this address at 10: until there are fewer, shardctl sends reads and interaction responses only',
			]);
			expect((await fetch(`${url}/v10/users/9`)).status).toBe(status);
			expect((await post(`${url}/v10/interactions/1/token/callback`)).status).toBe(status);
			// A follow-up: its token is that of an interaction.
			expect((await post(`${url}/v10/webhooks/1/aW50ZXJhY3Rpb246MTIz`)).status).toBe(status);
			expect(seen).toHaveLength(11);
			expect(notices.map(({ kind }) => kind)).toEqual(['invalid-requests:high']);
			expect(server.figures()).toMatchObject({ invalid: 11, guarded: true });
		},
	);

	it('does not count refusals for a resource that several bots share, nor its own', async () => {
		const { url, server } = await start(
			(_request, response) => response.writeHead(429, { 'x-ratelimit-scope': 'shared' }).end('{}'),
			{ invalidLimit: 2 },
		);
		for (let n = 0; n < 3; n++) await fetch(`${url}/v10/users/${n}`);
		expect(server.figures()).toMatchObject({ limited: 3, invalid: 0, guarded: false });
	});
});

describe('whom it serves', () => {
	it('serves the path of a worker, and the token of the bot', async () => {
		const { base, url } = await start(ok);
		const status = async (address: string, authorization?: string) =>
			(await fetch(`${address}/v10/users/@me`, { headers: authorization ? { authorization } : {} })).status;
		expect(await status(url)).toBe(200);
		expect(await status(base, 'Bot token')).toBe(200);
		expect(await status(base, 'Bot other')).toBe(401);
		expect(await status(base)).toBe(401);
		expect(await status(`${base}/worker/2/${paths.of(1).split('/')[3]}`)).toBe(401);
	});

	it('reaches nothing but the API', async () => {
		const { base, seen } = await start(ok);
		const status = await new Promise((resolve) => {
			httpRequest(
				base,
				{ path: `${paths.of(1)}/v10/%2e%2e/%2e%2e/secret`, headers: { authorization: 'Bot token' } },
				(response) => {
					response.resume();
					resolve(response.statusCode);
				},
			).end();
		});
		expect([status, seen]).toEqual([400, []]);
	});
});

describe('its end', () => {
	it('answers what Discord has, and asks for the rest again', async () => {
		const clock = fakeClock();
		const held: ServerResponse[] = [];
		const { url, server, seen } = await start((_request, response) => held.push(response), { perSecond: 1, clock });
		const sent = fetch(`${url}/v10/users/@me`);
		await waitFor('the request at Discord', () => seen.length === 1);
		const waits = post(url + channel);
		await waitFor('the second to wait', () => server.figures().queued === 1);
		const stopped = server.stop();
		const again = await waits;
		expect([again.status, again.headers.get('connection'), again.headers.get('retry-after')]).toEqual([429, 'close', '1']);
		held[0]?.end('{}');
		const answer = await sent;
		expect([answer.status, answer.headers.get('connection')]).toEqual([200, 'close']);
		// A request that was on its way when the last answer was given.
		await clock.advance(50);
		const late = await post(url + channel);
		expect([late.status, late.headers.get('connection')]).toEqual([429, 'close']);
		await clock.advance(99);
		await clock.advance(1);
		await stopped;
		expect(seen).toHaveLength(1);
	});
});

describe('clients that keep it waiting', () => {
	it.each([
		['send nothing', () => {}],
		['send their request byte by byte', (clients: { sendByte(): void }) => clients.sendByte()],
		[
			'send requests without the token',
			(clients: { send(text: string): void }) => clients.send('GET /api/v10/gateway HTTP/1.1\r\nHost: x\r\n\r\n'),
		],
	])('are closed when they %s, and a worker is served meanwhile', async (_, act) => {
		const clock = fakeClock();
		const { url, base, notices } = await start(ok, { clock });
		const slow = await slowClients({ port: Number(new URL(base).port), host: '127.0.0.1' }, 1000);
		onTestFinished(() => slow.close());
		await waitFor('their end', async () => {
			act(slow);
			expect((await fetch(`${url}/v10/users/@me`)).status).toBe(200);
			await clock.advance(1000);
			return slow.open() === 0;
		});
		await clock.advance(10_000);
		expect(notices.length).toBeGreaterThan(0);
		expect(notices.length).toBeLessThan(5);
		expect(new Set(notices.map(({ kind }) => kind))).toEqual(new Set(['caller:refused']));
	});

	it("on the path of a worker are closed by node's own limits, also where the manager listens", async () => {
		const server = new RestServer({
			config: { epoch: 1, port: 1, api: 'http://127.0.0.1:1/api', pathSecret: 'secret', globalPerSecond: 50 },
			token: 'token',
			clock: systemClock,
			notice: () => {},
			requestLimits: { headersTimeout: 50, requestTimeout: 50, connectionsCheckingInterval: 10 },
		});
		expect(await server.start()).toBe(1);
		onTestFinished(() => server.stop());
		const door = createNetServer((socket) => server.take(socket));
		await new Promise<void>((resolve) => door.listen(0, '127.0.0.1', resolve));
		onTestFinished(() => new Promise((resolve) => door.close(() => resolve())));
		const slow = await slowClients({ port: (door.address() as AddressInfo).port, host: '127.0.0.1' }, 3);
		onTestFinished(() => slow.close());
		slow.send(`POST ${paths.of(1)}/v10/channels/1/messages HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{`);
		await waitFor('their end', () => slow.open() === 0);
	});
});
