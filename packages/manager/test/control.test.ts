import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { createControlClient } from '@shardctl/control';
import { endpoint, type Operation, routeTable } from '@shardctl/control/server';
import { tempDir, waitFor } from '@shardctl/test-support';
import { pino } from 'pino';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { type FleetOptions, makeFleet, startFleet } from './fleet.js';

const token = 'a-token-of-sixteen-characters-or-more';
let stateDir: string;

beforeEach(() => {
	stateDir = tempDir('shardctl-state-');
	vi.stubEnv('SHARDCTL_STATE_DIR', stateDir);
	return () => vi.unstubAllEnvs();
});

async function servedFleet(options: FleetOptions = {}) {
	const fleet = await startFleet('quick-bot.mjs', { control: true, name: 'fleet', ...options });
	return { ...fleet, client: createControlClient('fleet') };
}

/** A plain request, as curl would make it. */
function ask(
	path: string,
	{ method = 'GET', headers = {}, body }: { method?: string; headers?: Record<string, string>; body?: string } = {},
) {
	return new Promise<{ status: number; answer: { error?: { code: string; message: string } } & Record<string, unknown> }>(
		(resolve, reject) => {
			const outgoing = request({ socketPath: join(stateDir, 'fleet.sock'), path, method, headers, agent: false }, (response) => {
				let text = '';
				response.setEncoding('utf8').on('data', (chunk: string) => {
					text += chunk;
				});
				response.on('end', () => resolve({ status: response.statusCode ?? 0, answer: JSON.parse(text) }));
			});
			outgoing.on('error', reject);
			outgoing.end(body);
		},
	);
}

describe('every operation', () => {
	it('returns what its schema says, through the typed client', async () => {
		const { client } = await servedFleet({ totalShards: 3, shardsPerWorker: 2 });
		const answered = async (operation: Operation, answer: Promise<unknown>, wrap = (value: unknown): unknown => value) => {
			const parsed = routeTable[operation].output.safeParse(wrap(await answer));
			expect({ operation, error: parsed.error }).toEqual({ operation, error: undefined });
		};
		await answered('health', client.health());
		await answered('openapi', client.openapi());
		await answered('stats', client.stats());
		await answered('stats', client.stats({ fresh: true }));
		await answered('metrics', client.metrics());
		await answered('where', client.where('0'));
		await answered('logs', client.logs(), (lines) => ({ lines }));
		await answered('events', client.events(), (events) => ({ events }));
		await answered('eval', client.eval('client.shardIds'), (results) => ({ results }));
		await answered('fetch', client.fetch('guilds.cache.size', { shard: 1 }), (results) => ({ results }));
		await answered('call', client.call('greet', ['you']), (results) => ({ results }));
		await answered('respawn', client.respawn(2));
		await answered('restart', client.restart({ worker: 0 }));
		await answered('restart', client.restart({ rolling: true }));
		await client.stop();
		await expect(client.stats()).rejects.toMatchObject({ code: 'MANAGER_NOT_RUNNING' });
	});

	it('is in the OpenAPI description, with the schemas that check requests', async () => {
		const { client } = await servedFleet({ totalShards: 1 });
		const description = (await client.openapi()) as {
			openapi: string;
			paths: Record<string, Record<string, { operationId: string }>>;
		};
		expect(description.openapi).toBe('3.1.0');
		for (const operation of Object.keys(routeTable) as Operation[]) {
			const { method, path } = endpoint(operation);
			expect(description.paths[path]?.[method.toLowerCase()]?.operationId).toBe(operation);
		}
		expect(description.paths['/v1/eval']?.post).toMatchObject({
			requestBody: { content: { 'application/json': { schema: { required: ['code'], additionalProperties: false } } } },
		});
		expect(description.paths['/v1/shards/{shardId}/respawn']?.post).toMatchObject({
			parameters: [{ name: 'shardId', in: 'path', required: true, schema: { type: 'integer', minimum: 0 } }],
		});
	});

	it('returns values that JSON does not support in plain form, and as node prints them', async () => {
		const { client } = await servedFleet({ totalShards: 1 });
		const [result] = await client.eval('({ big: 5n, map: new Map([["a", new Set([1])]]), none: undefined, nan: NaN })');
		expect(result).toMatchObject({ status: 'fulfilled', value: { big: '5', map: { a: [1] }, nan: null } });
		expect(result).toMatchObject({ shown: expect.stringMatching(/big: 5n/) });
	});
});

describe('an invalid request', () => {
	it('returns every problem, the code and the status', async () => {
		const { client } = await servedFleet({ totalShards: 2 });
		expect(await ask('/v1/nothing')).toMatchObject({ status: 404, answer: { error: { code: 'METHOD_NOT_FOUND' } } });
		const wrong = await ask('/v1/restart', { method: 'POST', body: '{"shard":-1,"roling":true}' });
		expect(wrong.status).toBe(400);
		expect(wrong.answer.error?.message).toMatch(
			/shard: must be a shard id, got -1[\s\S]*roling: is not an option; did you mean "rolling"/,
		);
		expect(await ask('/v1/eval', { method: 'POST', body: '{code' })).toMatchObject({ status: 400 });
		expect(await ask('/v1/eval', { method: 'POST', body: '[]' })).toMatchObject({ status: 400 });
		await expect(client.respawn(7)).rejects.toMatchObject({
			code: 'SHARD_NOT_OWNED',
			message: expect.stringMatching(/runs shards 0-1 of 2/),
		});
		await expect(client.restart({ worker: 7 })).rejects.toMatchObject({ code: 'WORKER_UNAVAILABLE' });
		await expect(client.restart({ shard: 0, worker: 0 })).rejects.toMatchObject({ code: 'OPTIONS_INVALID' });
		await expect(client.logs({ shard: 9 })).rejects.toMatchObject({ code: 'SHARD_NOT_OWNED' });
	});

	it('of a guild that the bot is not in suggests the one that was probably meant', async () => {
		const { client } = await servedFleet({ totalShards: 2 });
		await expect(client.where('12')).rejects.toMatchObject({ code: 'GUILD_NOT_FOUND', details: { shardId: 0 } });
		await expect(client.where('7')).rejects.toThrow(/did you mean 0 \(guild 0\)/);
		expect(await client.where('0')).toMatchObject({ shardId: 0, workerId: 0, status: 'ready', guild: { name: 'guild 0' } });
	});
});

describe('the socket', () => {
	it('of a name in use stays with its owner', async () => {
		const { client } = await servedFleet({ totalShards: 1 });
		const second = await makeFleet('quick-bot.mjs', { control: true, name: 'fleet' });
		await expect(second.manager.spawn()).rejects.toMatchObject({ code: 'MANAGER_RUNNING', details: { pid: process.pid } });
		expect((await client.health()).status).toBe('running');
	});

	it('is gone, with the name free, when a stop returns', async () => {
		const { client } = await servedFleet({ totalShards: 1 });
		await client.stop();
		expect(existsSync(join(stateDir, 'fleet.sock')) || existsSync(join(stateDir, 'fleet.lock'))).toBe(false);
	});
});

describe('over TCP', () => {
	async function overTcp(control: { token?: string; allowEval?: boolean } = { token }) {
		const lines: string[] = [];
		const logger = pino({}, { write: (line) => lines.push(line) });
		const { manager } = await servedFleet({ totalShards: 1, control: { port: 0, ...control }, logger });
		return { url: manager.controlAddress?.url as string, tokenFile: manager.controlAddress?.tokenFile, lines };
	}

	it('the typed client works as on the socket, but runs code only if that is allowed', async () => {
		const { url } = await overTcp({ token });
		const client = createControlClient({ url, token });
		expect((await client.stats()).manager.name).toBe('fleet');
		await expect(client.eval('1')).rejects.toMatchObject({ code: 'FORBIDDEN' });
		await expect(client.fetch('token')).rejects.toMatchObject({ code: 'FORBIDDEN' });
		await expect(createControlClient({ url, token: 'other' }).stats()).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
	});

	it('runs code if that is allowed', async () => {
		const { url } = await overTcp({ token, allowEval: true });
		expect(await createControlClient({ url, token }).eval('1 + 1')).toMatchObject([{ value: 2 }]);
	});
});

describe('a stream', () => {
	it('follows events, and a reader that reconnects gets the missed ones', async () => {
		const { client, manager } = await servedFleet({ totalShards: 2 });
		const seen: string[] = [];
		const done = new AbortController();
		const reading = (async () => {
			for await (const followed of client.followEvents({ tail: 100, signal: done.signal })) {
				if ('item' in followed) seen.push(followed.item.type);
			}
		})();
		await waitFor('the events of the start', () => seen.includes('fleet:ready'));
		await client.respawn(1);
		await waitFor('the events of the respawn', () => seen.filter((type) => type === 'worker:ready').length === 3);
		done.abort();
		await reading;
		expect(manager.listenerCount('fleet:ready')).toBeGreaterThan(0);

		const events = await client.events();
		const last = events.at(-3)?.seq as number;
		const missed = await readSome(join(stateDir, 'fleet.sock'), '/v1/events?follow=true', { 'last-event-id': String(last) }, 2);
		expect(missed.map(({ seq }) => seq)).toEqual([last + 1, last + 2]);
	});

	it('follows the lines of one shard, and the figures', async () => {
		const { client } = await servedFleet({ totalShards: 2 });
		const lines: string[] = [];
		const done = new AbortController();
		onTestFinished(() => done.abort());
		const reading = (async () => {
			for await (const followed of client.followLogs({ shard: 1, signal: done.signal }))
				if ('item' in followed) lines.push(followed.item.line);
		})();
		await waitFor('a line', async () => {
			await client.eval('console.log("from", client.shardIds[0])');
			return lines.length > 0;
		});
		for await (const followed of client.followStats({ intervalMs: 250 })) {
			expect('item' in followed && routeTable.stats.output.safeParse(followed.item).success).toBe(true);
			break;
		}
		done.abort();
		await reading;
		expect(new Set(lines)).toEqual(new Set(['from 1']));
	});

	it('ends when the manager stops', async () => {
		const { client, manager } = await servedFleet({ totalShards: 1 });
		const stream = client.followStats()[Symbol.asyncIterator]();
		await stream.next();
		await manager.stop();
		let next = await stream.next();
		while (!next.done) next = await stream.next();
		expect(next.done).toBe(true);
	});

	it('of a thousand readers, half of them stalled, uses bounded memory and keeps the fleet healthy', async () => {
		const { manager, client } = await servedFleet({ totalShards: 1 });
		const path = join(stateDir, 'fleet.sock');
		const sockets: Socket[] = [];
		onTestFinished(() => {
			for (const socket of sockets) socket.destroy();
		});
		const lastSaid: string[] = [];
		for (let index = 0; index < 1000; index++) {
			const socket = connect(path);
			sockets.push(socket);
			// One after another: the accept queue is bounded too.
			await once(socket, 'connect');
			socket.write('GET /v1/logs?follow=true&tail=0 HTTP/1.1\r\nhost: x\r\n\r\n');
			// A stalled reader sends its request and never reads.
			if (index % 2 === 0) continue;
			const healthy = (index - 1) / 2;
			lastSaid[healthy] = '';
			socket.setEncoding('latin1').on('data', (text: string) => {
				lastSaid[healthy] = /batch (\d+) is over/.exec(text)?.[1] ?? (lastSaid[healthy] as string);
			});
		}
		await waitFor('every reader', async () => (await client.health()).readers === 1000);
		const before = process.memoryUsage().rss;
		// In total 800 kB for each reader: more than the queue here and the system's buffers hold.
		for (let batch = 0; batch < 40; batch++) {
			await client.eval(`for (let i = 0; i < 10; i++) console.log('${'x'.repeat(2000)}'); console.log('batch ${batch} is over')`);
			await waitFor(`batch ${batch} at every healthy reader`, () => lastSaid.every((said) => said === String(batch)));
		}
		expect(process.memoryUsage().rss - before).toBeLessThan(256 * 2 ** 20);
		let late = '';
		(sockets[0] as Socket).setEncoding('latin1').on('data', (text: string) => {
			late += text;
		});
		await waitFor('the skipped event of a stalled reader that reads again', () =>
			/event: skipped\ndata: \{"count":\d+\}/.test(late),
		);
		const [shard] = await manager.getShardStats({ fresh: true });
		expect(shard).toMatchObject({ status: 'ready', restarts: 0 });
		expect((await client.health()).status).toBe('running');
	});
});

/** The data of the first events of a stream, read without the client. */
function readSome(socketPath: string, path: string, headers: Record<string, string>, count: number): Promise<{ seq: number }[]> {
	return new Promise((resolve, reject) => {
		const outgoing = request({ socketPath, path, headers, agent: false }, (response) => {
			let text = '';
			response.setEncoding('utf8').on('data', (chunk: string) => {
				text += chunk;
				const items = [...text.matchAll(/^data: (.*)$/gm)].map(([, data]) => JSON.parse(data as string) as { seq: number });
				if (items.length < count) return;
				outgoing.destroy();
				resolve(items.slice(0, count));
			});
		});
		outgoing.on('error', reject);
		outgoing.end();
	});
}
