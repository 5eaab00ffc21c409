import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tempDir } from '@shardctl/test-support';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { versionHeader } from '../api/endpoints.js';
import { createControlClient, managerNotRunning, managerVersion } from './control-client.js';

beforeEach(() => {
	vi.stubEnv('SHARDCTL_STATE_DIR', tempDir());
	return () => vi.unstubAllEnvs();
});

interface Asked {
	method: string | undefined;
	url: string | undefined;
	body: unknown;
}

/** A manager on TCP that answers every request with this, and what it was asked. */
async function managerThat(answer: unknown, { status = 200, version = '9.9.9' } = {}) {
	const asked: Asked[] = [];
	const target = await serving(
		(request, response) =>
			void textOf(request).then((text) => {
				asked.push({ method: request.method, url: request.url, body: text === '' ? undefined : JSON.parse(text) });
				response.writeHead(status, { [versionHeader]: version });
				response.end(typeof answer === 'string' ? answer : JSON.stringify(answer));
			}),
	);
	return { asked, client: createControlClient(target) };
}

async function serving(listener: RequestListener): Promise<{ url: string; token: string }> {
	const server = createServer(listener).listen(0, '127.0.0.1');
	onTestFinished(() => {
		server.closeAllConnections();
		server.close();
	});
	await once(server, 'listening');
	return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, token: 'secret' };
}

async function textOf(request: IncomingMessage): Promise<string> {
	const chunks: Buffer[] = [];
	for await (const chunk of request) chunks.push(chunk as Buffer);
	return Buffer.concat(chunks).toString('utf8');
}

describe('a request', () => {
	it('has its input in the path and the query of a GET, and in the body of a POST', async () => {
		const { asked, client } = await managerThat({ results: [], lines: [], events: [] });
		await client.where('197038439483310086');
		await client.logs({ shard: 3, tail: 10 });
		await client.eval('1 + 1', { shard: 2 });
		await client.respawn(7);
		await client.stop();
		expect(asked).toEqual([
			{ method: 'GET', url: '/v1/guilds/197038439483310086', body: undefined },
			{ method: 'GET', url: expect.stringMatching(/^\/v1\/logs\?(shard=3&tail=10|tail=10&shard=3)$/), body: undefined },
			{ method: 'POST', url: '/v1/eval', body: { code: '1 + 1', shard: 2 } },
			expect.objectContaining({ method: 'POST', url: expect.stringContaining('respawn') }),
			{ method: 'POST', url: '/v1/stop', body: {} },
		]);
	});

	it('leaves out what was not given, and escapes what is in the path', async () => {
		const { asked, client } = await managerThat({ events: [] });
		await client.events({ tail: undefined });
		await client.where('1/../stop?x');
		expect(asked.map(({ url }) => url)).toEqual(['/v1/events', '/v1/guilds/1%2F..%2Fstop%3Fx']);
	});
});

describe('a response', () => {
	it('is completed where the manager is of another version, whose number is known then', async () => {
		const { client } = await managerThat({ manager: { name: 'fleet' } }, { version: '0.0.1' });
		expect(await client.stats()).toMatchObject({
			manager: { name: 'fleet', identify: { remaining: 0 } },
			health: { causes: [] },
			shards: [],
		});
		expect(managerVersion()).toBe('0.0.1');
	});

	it("throws the manager's own error, with its code and details", async () => {
		const error = { code: 'SHARD_NOT_OWNED', message: 'shard 9 is not here', details: { shardIds: [0, 1] } };
		const { client } = await managerThat({ error }, { status: 409 });
		await expect(client.respawn(9)).rejects.toMatchObject(error);
	});

	it('of another program is a protocol error', async () => {
		const { client } = await managerThat({ hello: 'world' }, { status: 404 });
		await expect(client.health()).rejects.toMatchObject({
			code: 'PROTOCOL_ERROR',
			message: 'the response (status 404) is not from a shardctl manager',
		});
		await expect((await managerThat('no figures', { status: 500 })).client.metrics()).rejects.toMatchObject({
			code: 'PROTOCOL_ERROR',
		});
	});

	it('to metrics is text', async () => {
		expect(await (await managerThat('a_metric 1\n')).client.metrics()).toBe('a_metric 1\n');
	});
});

describe('a stream', () => {
	it('yields each item, and how many were skipped', async () => {
		const urls: (string | undefined)[] = [];
		const target = await serving((request, response) => {
			urls.push(request.url);
			response.writeHead(200, { 'content-type': 'text/event-stream' });
			response.write('event: event\ndata: {"seq":1,"at":1,"type":"fleet:ready"}\n\n');
			response.end('event: skipped\ndata: {"count":3}\n\nevent: skipped\ndata: {"count":null,"node":"b"}\n\n');
		});
		const followed = [];
		for await (const each of createControlClient(target).followEvents({ tail: 5 })) followed.push(each);
		expect(followed).toEqual([{ item: { seq: 1, at: 1, type: 'fleet:ready' } }, { skipped: 3 }, { skipped: null, node: 'b' }]);
		expect(urls).toEqual(['/v1/events?tail=5&follow=true']);
	});

	it('ends when its signal aborts, and throws the error of a manager that refuses it', async () => {
		const endless = await serving((_, response) => {
			response.writeHead(200, { 'content-type': 'text/event-stream' });
			response.write('event: log\ndata: {"line":"a"}\n\n');
		});
		const abort = new AbortController();
		const lines = createControlClient(endless).followLogs({ signal: abort.signal })[Symbol.asyncIterator]();
		expect(await lines.next()).toMatchObject({ value: { item: { line: 'a' } } });
		abort.abort();
		expect(await lines.next().catch(() => ({ done: true }))).toMatchObject({ done: true });
		const { client } = await managerThat({ error: { code: 'FORBIDDEN', message: 'no' } }, { status: 403 });
		await expect(client.followStats()[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'FORBIDDEN' });
	});
});

describe('a manager that does not run', () => {
	it('is named with what runs instead', async () => {
		await expect(createControlClient('nope').stats()).rejects.toMatchObject({
			code: 'MANAGER_NOT_RUNNING',
			message: 'no manager named "nope" is running; start one with "shardctl start <file>"',
		});
		expect(managerNotRunning('musik', ['music', 'cards']).message).toBe(
			'no manager named "musik" is running; did you mean "music"?',
		);
		expect(managerNotRunning('x', ['music', 'cards'])).toMatchObject({
			message: 'no manager named "x" is running; running: music, cards',
			details: { name: 'x', running: ['music', 'cards'] },
		});
	});

	it('does not answer in time', async () => {
		const target = await serving(() => {});
		await expect(createControlClient(target, { timeoutMs: 20 }).stats()).rejects.toMatchObject({ code: 'CALL_TIMEOUT' });
	});
});
