import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { LocalRest } from './local-rest.js';

async function listen(listener: (request: IncomingMessage, response: ServerResponse) => unknown): Promise<string> {
	const server = createServer((request, response) => void listener(request, response));
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	onTestFinished(async () => {
		server.closeAllConnections();
		await new Promise((resolve) => server.close(resolve));
	});
	return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function bodyOf(request: IncomingMessage): Promise<string> {
	let body = '';
	for await (const chunk of request) body += String(chunk);
	return body;
}

async function start(api?: string) {
	const seen: { method: string | undefined; url: string | undefined; authorization: string | undefined; body: string }[] = [];
	const discord = await listen(async (request, response) => {
		const { method, url, headers } = request;
		seen.push({ method, url, authorization: headers.authorization, body: await bodyOf(request) });
		response.writeHead(429, { 'x-ratelimit-remaining': '0', 'content-type': 'application/json' }).end('{"retry_after":1}');
	});
	const rest = new LocalRest({ api: api ?? `${discord}/api/`, totalShards: 3, gatewayUrl: () => 'ws://127.0.0.1:7' });
	return { url: await listen((request, response) => rest.answer(request, response)), seen };
}

it.each([
	['/gateway/bot', 'ws://127.0.0.1:7'],
	['/api/gateway', 'ws://127.0.0.1:7'],
	['/worker/12/api/v10/gateway/bot', 'ws://127.0.0.1:7/worker/12'],
	['/worker/12/v9/gateway/bot', 'ws://127.0.0.1:7/worker/12'],
])('answers GET %s itself', async (path, url) => {
	const gateway = await start();
	const answer = await (await fetch(gateway.url + path)).json();
	const limit = { total: 1000, remaining: 1000, reset_after: 0, max_concurrency: 3 };
	expect(answer).toEqual({ url, shards: 3, session_start_limit: limit });
	expect(gateway.seen).toEqual([]);
});

it("passes everything else on to Discord and back, without the worker's path", async () => {
	const { url, seen } = await start();
	const request = { method: 'POST', headers: { authorization: 'Bot x', 'content-type': 'text/plain' }, body: 'hello' };
	const answer = await fetch(`${url}/worker/4/api/v10/channels/1/messages?limit=5`, request);
	expect([answer.status, answer.headers.get('x-ratelimit-remaining'), await answer.text()]).toEqual([
		429,
		'0',
		'{"retry_after":1}',
	]);
	expect(seen).toEqual([{ method: 'POST', url: '/api/v10/channels/1/messages?limit=5', authorization: 'Bot x', body: 'hello' }]);
});

it('answers 502 when Discord cannot be reached', async () => {
	const { url } = await start('http://127.0.0.1:1');
	expect((await fetch(`${url}/api/v10/users/@me`)).status).toBe(502);
});
