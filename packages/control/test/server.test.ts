// The control API over real sockets, of a fleet without processes: who is admitted, what a request may contain, and its effect.
import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { type HealthCause, type ManagerStats, systemClock } from '@shardctl/core';
import { tempDir, waitFor } from '@shardctl/test-support';
import { pino } from 'pino';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { endpoint, endpoints, type Operation } from '../src/api/endpoints.js';
import { createControlClient, processIdentity } from '../src/index.js';
import { type ControlOptions, startControl } from '../src/server/index.js';
import { FakeFleet } from './fake-fleet.js';

const token = 'a-token-of-sixteen-characters-or-more';
let stateDir: string;

beforeEach(() => {
	stateDir = tempDir('shardctl-state-');
	vi.stubEnv('SHARDCTL_STATE_DIR', stateDir);
	return () => vi.unstubAllEnvs();
});

/** The end that a manager provides. */
const ended = { how: 'stopped', code: null, message: 'stopped by a test' } as const;

async function served(options: ControlOptions = {}, botToken?: string) {
	const lines: string[] = [];
	const logger = pino({}, { write: (line) => lines.push(line) });
	const fleet = new FakeFleet();
	const control = await startControl(fleet, options, { file: 'bot.js', logger, clock: systemClock, token: botToken });
	onTestFinished(() => control.close(ended));
	return { fleet, control, lines, client: createControlClient('fleet') };
}

interface Answer {
	status: number;
	type: string | undefined;
	body: { error?: { code: string; message: string } } & Record<string, unknown>;
}

/** A plain request, as curl would make it. */
function ask(
	path: string,
	{ method = 'GET', headers = {}, body }: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<Answer> {
	return new Promise((resolve, reject) => {
		const outgoing = request({ socketPath: join(stateDir, 'fleet.sock'), path, method, headers, agent: false }, (response) => {
			let text = '';
			response.setEncoding('utf8').on('data', (chunk: string) => {
				text += chunk;
			});
			response.on('end', () => {
				const { statusCode = 0, headers } = response;
				resolve({ status: statusCode, type: headers['content-type'], body: text === '' ? {} : JSON.parse(text) });
			});
		});
		outgoing.on('error', reject);
		outgoing.end(body);
	});
}

describe('a request', () => {
	it('B6: to /readyz returns 200 when every shard is served, also with a risk, else 503 with the causes', async () => {
		const { fleet } = await served();
		const stats = fleet.stats as ManagerStats;
		const risk = { kind: 'disk-full', effect: 'risk' } as unknown as HealthCause;
		fleet.stats = { ...stats, health: { status: 'degraded', served: 4, shards: 4, causes: [risk] } };
		expect(await ask('/readyz')).toMatchObject({
			status: 200,
			body: { ready: true, health: { causes: [{ kind: 'disk-full' }] } },
		});
		expect(await ask('/healthz')).toMatchObject({ status: 200 });
		expect((await ask('/v1/health')).body).toMatchObject({ health: { status: 'degraded', served: 4 } });
	});

	it('that is invalid returns every problem, the code and the status', async () => {
		const { client } = await served();
		expect(await ask('/v1/nothing')).toMatchObject({ status: 404, body: { error: { code: 'METHOD_NOT_FOUND' } } });
		const wrong = await ask('/v1/restart', { method: 'POST', body: '{"shard":-1,"roling":true}' });
		expect(wrong.status).toBe(400);
		expect(wrong.body.error?.message).toMatch(
			/shard: must be a shard id, got -1[\s\S]*roling: is not an option; did you mean "rolling"/,
		);
		expect(await ask('/v1/eval', { method: 'POST', body: '{code' })).toMatchObject({ status: 400 });
		expect(await ask('/v1/eval', { method: 'POST', body: '[]' })).toMatchObject({ status: 400 });
		await expect(client.respawn(7)).rejects.toMatchObject({
			code: 'SHARD_NOT_OWNED',
			message: expect.stringMatching(/runs shards 0-3 of 4/),
		});
		await expect(client.restart({ worker: 7 })).rejects.toMatchObject({
			code: 'WORKER_UNAVAILABLE',
			message: 'there is no worker 7: this manager has workers 0-1',
		});
		await expect(client.restart({ shard: 0, worker: 0 })).rejects.toMatchObject({ code: 'OPTIONS_INVALID' });
	});

	it('for a stream that cannot start returns an error like any other, without any of the stream', async () => {
		await served();
		const answer = await ask('/v1/logs?follow=true&shard=9');
		expect(answer).toMatchObject({ status: 404, type: 'application/json', body: { error: { code: 'SHARD_NOT_OWNED' } } });
		expect((await ask('/v1/health')).body.readers).toBe(0);
	});

	it('with HEAD returns the head of the GET response', async () => {
		await served();
		expect(await ask('/v1/health', { method: 'HEAD' })).toEqual({ status: 200, type: 'application/json', body: {} });
		expect((await ask('/v1/stats?follow=true', { method: 'HEAD' })).type).toBe('application/json');
	});

	it('with a body of 100 MB is rejected without being buffered', async () => {
		await served();
		const before = process.memoryUsage().arrayBuffers;
		const size = 100 * 2 ** 20;
		let sent = 0;
		let most = 0;
		const status = await new Promise<number>((resolve, reject) => {
			const outgoing = request({ socketPath: join(stateDir, 'fleet.sock'), path: '/v1/eval', method: 'POST', agent: false });
			outgoing.on('response', (response) => {
				resolve(response.statusCode ?? 0);
				response.resume();
				outgoing.destroy();
			});
			outgoing.on('error', reject);
			const chunk = Buffer.alloc(64 * 1024, 0x20);
			const more = () => {
				while (sent < size && !outgoing.destroyed) {
					sent += chunk.length;
					most = Math.max(most, process.memoryUsage().arrayBuffers - before);
					if (!outgoing.write(chunk)) {
						outgoing.once('drain', more);
						return;
					}
				}
				outgoing.end();
			};
			more();
		});
		expect(status).toBe(413);
		expect(most).toBeLessThan(32 * 2 ** 20);
		expect(await ask('/v1/health')).toMatchObject({ status: 200 });
		expect(
			await ask('/v1/eval', { method: 'POST', headers: { 'content-length': String(size) } }).catch(() => ({ status: 413 })),
		).toMatchObject({ status: 413 });
	});
});

describe('an action', () => {
	it('on a shard or a worker replaces the worker, and names it', async () => {
		const { client, fleet } = await served();
		expect(await client.respawn(2)).toEqual({ shardId: 2, workerId: 1, shardIds: [2, 3] });
		expect(await client.restart({ worker: 0 })).toMatchObject({ workers: [0] });
		expect(fleet.actions).toEqual([
			['replaceWorker', 1, 'respawn requested'],
			['replaceWorker', 0, 'restart requested'],
		]);
	});

	it('that leaves a worker down fails with the exit of its last process', async () => {
		const { client, fleet } = await served();
		fleet.replaced = false;
		fleet.workers = fleet.workers.map((worker) => ({
			...worker,
			lastExit: { reason: 'exit-code', message: 'process 9 failed (exit code 1, after 2 s)', at: 1 },
		}));
		await expect(client.restart({ shard: 0 })).rejects.toMatchObject({
			code: 'WORKER_NOT_READY',
			message: 'worker 0 did not become ready again: process 9 failed (exit code 1, after 2 s)',
			details: { workerId: 0, shardIds: [0, 1] },
		});
	});

	it('on the whole fleet passes its options on, and waits for workers', async () => {
		const { client, fleet } = await served();
		expect(await client.restart({ rolling: true, parallel: 2 })).toMatchObject({ workers: [0, 1] });
		await client.deploy({ parallel: 3 });
		expect(await client.restart({ gateways: true })).toMatchObject({ workers: [] });
		expect(fleet.actions).toEqual([
			['respawnAll', { rolling: true, parallel: 2, delayMs: 0 }],
			['startDeploy', { parallel: 3 }],
			['restartGateways'],
		]);
		fleet.workers = [];
		await expect(client.restart()).rejects.toMatchObject({ code: 'WORKER_UNAVAILABLE' });
		await expect(client.deploy()).rejects.toMatchObject({ code: 'WORKER_UNAVAILABLE' });
	});

	it('cancels a queued deploy when the waiting client disconnects, and any deploy on request', async () => {
		const { client, fleet } = await served();
		expect(await client.cancelDeploy(1)).toEqual({ id: 1, state: 'queued' });
		fleet.deployOutcome = new Promise(() => {});
		expect(await client.deploy({ observeMs: 5, first: 'stop', wait: false })).toMatchObject({ id: 1 });
		const socket = request({ socketPath: join(stateDir, 'fleet.sock'), path: '/v1/deploys/1' });
		socket.on('error', () => {});
		socket.end();
		await waitFor('the request', () => fleet.waits === 1);
		socket.destroy();
		await waitFor('the deploy to be called off', () => fleet.actions.length === 3);
		expect(fleet.actions).toEqual([
			['cancelDeploy', 1],
			['startDeploy', { observeMs: 5, first: 'stop' }],
			['cancelDeploy', 1, { onlyQueued: true }],
		]);
	});

	it('to find a guild waits for the number of shards', async () => {
		const { client, fleet } = await served();
		fleet.totalShards = 0;
		await expect(client.where('5')).rejects.toMatchObject({ code: 'WORKER_UNAVAILABLE' });
		fleet.totalShards = 4;
		fleet.outcomes = { state: 'present', name: 'five', memberCount: 3 };
		expect(await client.where('5')).toMatchObject({
			shardId: 0,
			workerId: 0,
			pid: 100,
			status: 'ready',
			guild: { name: 'five' },
		});
	});
});

describe('the socket', () => {
	it('is accessible to its user only', async () => {
		const { client } = await served();
		expect(statSync(join(stateDir, 'fleet.sock')).mode & 0o777).toBe(0o600);
		expect(statSync(stateDir).mode & 0o777).toBe(0o700);
		expect((await client.health()).name).toBe('fleet');
	});

	it.skipIf(process.getuid?.() !== 0 || spawnSync('setpriv', ['--version']).status !== 0)(
		'refuses another user of the machine',
		async () => {
			await served();
			const script = `require('node:net').connect(${JSON.stringify(join(stateDir, 'fleet.sock'))})
			.on('connect', () => console.log('connected')).on('error', (error) => console.log(error.code));`;
			const user = ['--reuid', '65534', '--regid', '65534', '--clear-groups'];
			const printed = execFileSync('setpriv', [...user, process.execPath, '-e', script]);
			expect(printed.toString().trim()).toBe('EACCES');
		},
	);

	it('of a name in use stays with its owner', async () => {
		const { client } = await served();
		await expect(served()).rejects.toMatchObject({ code: 'MANAGER_RUNNING', details: { pid: process.pid } });
		expect((await client.health()).status).toBe('running');
	});

	it.each([
		['is no longer there', { pid: 4_194_000, startedAtTicks: '1', boot: null, namespace: null }],
		['has its id taken by another process', { ...processIdentity(), startedAtTicks: '1' }],
		['was of another boot', { ...processIdentity(), boot: 'earlier' }],
	])('of a manager whose process %s is taken over', async (_, identity) => {
		writeFileSync(join(stateDir, 'fleet.lock'), JSON.stringify({ ...identity, name: 'fleet', cwd: '/', file: 'x', since: 1 }));
		writeFileSync(join(stateDir, 'fleet.sock'), '');
		const { control, client } = await served();
		expect((await client.health()).name).toBe('fleet');
		await control.close(ended);
		expect(readdirSync(stateDir)).toEqual(['history']);
	});

	it('is gone, with the name free, when a stop returns', async () => {
		const { client, control, fleet } = await served();
		const stopped = client.stop({ graceMs: 5 });
		await vi.waitFor(() => expect(fleet.actions).toEqual([['stop', { graceMs: 5, reason: '"shardctl stop"' }]]));
		await control.close(ended);
		await stopped;
		expect(readdirSync(stateDir)).toEqual(['history']);
	});
});

describe('over TCP', () => {
	it('only the right token is accepted, and attempts without it are logged', async () => {
		const { control, lines } = await served({ port: 0, token });
		expect(control.url).toMatch(/^http:\/\/127\.0\.0\.1:/);
		for (const headers of [
			{},
			{ authorization: 'Bearer wrong' },
			{ authorization: `Basic ${token}` },
			{ authorization: 'Bearer ' },
		]) {
			const response = await fetch(`${control.url}/v1/stats`, { headers: headers as Record<string, string> });
			expect(response.status).toBe(401);
			expect(response.headers.get('www-authenticate')).toBe('Bearer');
			expect(await response.json()).toMatchObject({ error: { code: 'UNAUTHORIZED' } });
		}
		expect(lines.join('')).toMatch(/rejected a request from 127\.0\.0\.1 without a valid token/);
		expect(lines.join('')).not.toContain('wrong');
	});

	it('B6: probes get a status without the token, and the causes only with it', async () => {
		const { control, fleet } = await served({ port: 0, token });
		const probe = async (path: string, headers: Record<string, string> = {}) => {
			const response = await fetch(`${control.url}${path}`, { headers });
			return { status: response.status, body: await response.json() };
		};
		const stats = fleet.stats as ManagerStats;
		const cause = { kind: 'session-down', message: 'shards 0-1 have no connection' } as unknown as HealthCause;
		fleet.stats = { ...stats, health: { status: 'degraded', served: 2, shards: 4, causes: [cause] } };
		expect(await probe('/healthz')).toEqual({ status: 200, body: { alive: true } });
		expect(await probe('/readyz')).toEqual({ status: 503, body: { ready: false, status: 'degraded' } });
		expect(await probe('/readyz', { authorization: `Bearer ${token}` })).toMatchObject({
			status: 503,
			body: { ready: false, health: { causes: [{ kind: 'session-down' }] } },
		});
		// For any number of probes: the figures are read once a second.
		expect(fleet.timesAsked).toBe(1);
		expect((await probe('/v1/health')).status).toBe(401);
		expect((await probe('/readyz/')).status).toBe(401);
	});

	it('the typed client works as on the socket, but runs code only if that is allowed', async () => {
		const { control, fleet } = await served({ port: 0, token });
		const client = createControlClient({ url: control.url as string, token });
		expect((await client.stats()).manager.name).toBe('fleet');
		await expect(client.eval('1')).rejects.toMatchObject({ code: 'FORBIDDEN' });
		await expect(client.fetch('guilds.cache.size')).rejects.toMatchObject({ code: 'FORBIDDEN' });
		fleet.outcomes = [{ status: 'fulfilled', value: 1, workerId: 0, shardIds: [0, 1] }];
		expect(await client.call('greet')).toMatchObject([{ value: 1 }]);
		await expect(createControlClient({ url: control.url as string, token: 'other' }).stats()).rejects.toMatchObject({
			code: 'UNAUTHORIZED',
		});
	});

	it('runs code if that is allowed', async () => {
		const { control, fleet } = await served({ port: 0, token, allowEval: true });
		fleet.outcomes = [{ status: 'fulfilled', value: 2, workerId: 0, shardIds: [0, 1] }];
		expect(await createControlClient({ url: control.url as string, token }).eval('1 + 1')).toMatchObject([{ value: 2 }]);
		expect(fleet.actions[0]?.slice(0, 2)).toEqual(['broadcastEval', '1 + 1']);
	});

	it('rejects a guessable token from the environment', async () => {
		vi.stubEnv('SHARDCTL_CONTROL_TOKEN', 'short');
		await expect(served({ port: 0 })).rejects.toMatchObject({ code: 'OPTIONS_INVALID' });
		expect(readdirSync(stateDir)).toEqual(['history']);
	});

	it('a port in use is reported, and nothing is left open', async () => {
		const { control } = await served({ port: 0, token });
		const port = Number(new URL(control.url as string).port);
		vi.stubEnv('SHARDCTL_STATE_DIR', tempDir('shardctl-state-'));
		await expect(served({ port, token })).rejects.toMatchObject({
			code: 'ADDRESS_IN_USE',
			message: `the control API cannot listen on 127.0.0.1:${port}: another program uses that address`,
		});
		expect(readdirSync(process.env.SHARDCTL_STATE_DIR as string)).toEqual(['fleet.read-token', 'history']);
	});

	it('refuses a body whose text has a length that cannot be compared', async () => {
		const { control } = await served({ port: 0, token });
		const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
		const body = '{"path":{"length":{"toString":[],"valueOf":1}}}';
		const response = await fetch(`${control.url}/v1/fetch`, { method: 'POST', headers, body });
		expect([response.status, await response.json()]).toMatchObject([400, { error: { code: 'OPTIONS_INVALID' } }]);
	});

	describe('finding 8:', () => {
		const readToken = 'a-token-for-reading-of-enough-characters';
		const botToken = 'MTAwMDAwMDAwMDAwMDAwMDAw.GAbcde.abcdefghijklmnopqrstuvwxyz0123456789ab';
		const statuses = async (url: string | undefined, given: string) =>
			Promise.all(
				Object.keys(endpoints).map(async (operation) => {
					const { method, path } = endpoint(operation as Operation);
					const target = path.replace('{guildId}', '1').replace('{shardId}', '0').replace('{id}', '1');
					const headers = { authorization: `Bearer ${given}`, 'content-type': 'application/json' };
					// A body that no operation accepts, so that nothing is done where it is allowed.
					const body = method === 'POST' ? { body: '{"unknown":1}' } : {};
					const response = await fetch(`${url}${target}`, { method, headers, ...body });
					await response.arrayBuffer();
					return [operation, response.status] as const;
				}),
			);

		it('with the token for reading a client may read figures, metrics, health and events, and do nothing', async () => {
			const { control, fleet } = await served({ port: 0, token, readToken });
			const allowed = (await statuses(control.url, readToken)).filter(([, status]) => status !== 403).map(([name]) => name);
			expect(allowed).toEqual([
				'health',
				'healthz',
				'readyz',
				'openapi',
				'stats',
				'metrics',
				'events',
				'queue',
				'nodes',
				'placement',
			]);
			expect(fleet.actions).toEqual([]);
			expect((await statuses(control.url, token)).filter(([, status]) => status === 403 || status === 401)).toEqual([]);
		});

		it('with the token for reading a client gets no line of a bot, also not of one that ended', async () => {
			const { control, fleet } = await served({ port: 0, token, readToken });
			const exit = { reason: 'exit-code' as const, message: 'exited', code: 1, signal: null, pid: 1, uptimeMs: 1, stack: [] };
			fleet.emit({ type: 'worker:exited', workerId: 0, shardIds: [0], exit: { ...exit, stderrTail: ['a secret line'] } });
			for (const [given, expected] of [
				[token, true],
				[readToken, false],
			] as const) {
				const headers = { authorization: `Bearer ${given}` };
				const listed = await (await fetch(`${control.url}/v1/events`, { headers })).text();
				const followed = await fetch(`${control.url}/v1/events?follow=true&tail=1`, { headers });
				const { value } = await (followed.body as ReadableStream<Uint8Array>).getReader().read();
				for (const text of [listed, Buffer.from(value as Uint8Array).toString()]) {
					expect(text).toContain('worker:exited');
					expect(text.includes('a secret line')).toBe(expected);
				}
			}
		});

		it('both tokens are created at the start, differ, and are in files of this user only', async () => {
			const { control, lines } = await served({ port: 0 });
			const [act, read] = [control.tokenFile, control.readTokenFile].map((path) => {
				expect(statSync(path as string).mode & 0o777).toBe(0o600);
				return readFileSync(path as string, 'utf8').trim();
			}) as [string, string];
			expect(act).not.toBe(read);
			expect(lines.join('')).not.toContain(read);
			expect(await createControlClient({ url: control.url as string, token: read }).stats()).toMatchObject({ manager: {} });
			await expect(createControlClient({ url: control.url as string, token: read }).stop()).rejects.toMatchObject({
				code: 'FORBIDDEN',
			});
		});

		it('a token file that others could read is replaced', async () => {
			const path = join(stateDir, 'fleet.read-token');
			writeFileSync(path, `${'x'.repeat(40)}\n`, { mode: 0o644 });
			const { control } = await served({ port: 0, token });
			expect(readFileSync(control.readTokenFile as string, 'utf8')).not.toContain('xxx');
			expect(statSync(path).mode & 0o777).toBe(0o600);
		});

		it('the token of the bot is in no value, error, line or event over TCP', async () => {
			const { control, fleet, client } = await served({ port: 0, token, allowEval: true }, botToken);
			const secret = { deep: [`Bot ${botToken}`], [botToken]: 1 };
			fleet.outcomes = [
				{ status: 'fulfilled', value: secret, workerId: 0, shardIds: [0] },
				{ status: 'rejected', reason: new Error(`no ${botToken}`), workerId: 1, shardIds: [1] },
			];
			const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
			for (const [path, input] of [
				['eval', { code: '1' }],
				['fetch', { path: 'token' }],
				['call', { name: 'x' }],
			] as const) {
				const response = await fetch(`${control.url}/v1/${path}`, { method: 'POST', headers, body: JSON.stringify(input) });
				const text = await response.text();
				expect([response.status, text.includes(botToken)]).toEqual([200, false]);
				expect(text).toContain('[the token of the bot]');
			}
			const reader = await fetch(`${control.url}/v1/logs?follow=true`, { headers });
			fleet.write({ at: 1, pid: 1, workerId: 0, shardIds: [0], stream: 'stdout', line: `logged in as ${botToken}` });
			const { value } = await (reader.body as ReadableStream<Uint8Array>).getReader().read();
			expect(Buffer.from(value as Uint8Array).toString()).toContain('logged in as [the token of the bot]');
			// On this user's socket the owner of the token asks.
			expect((await client.fetch('token'))[0]).toMatchObject({ value: secret });
		});
	});

	it('generates a token when none was given, in a file of this user only', async () => {
		const { control } = await served({ port: 0 });
		const path = control.tokenFile as string;
		expect(statSync(path).mode & 0o777).toBe(0o600);
		const kept = readFileSync(path, 'utf8').trim();
		expect((await createControlClient({ url: control.url as string, token: kept }).health()).name).toBe('fleet');
	});
});
