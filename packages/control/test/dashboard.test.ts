// The dashboard over real sockets, of a fleet without processes: how a browser gets in, and what it can read and do then.
import { gzipSync } from 'node:zlib';
import { type DashboardCluster, type ManagerStats, systemClock } from '@shardctl/core';
import { tempDir } from '@shardctl/test-support';
import { pino } from 'pino';
import { beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import type { FleetCluster, SessionPlace } from '../src/fleet/cluster.js';
import type { FleetEvent } from '../src/fleet/fleet-events.js';
import type { FrameSink } from '../src/fleet/frame-sink.js';
import { createControlClient } from '../src/index.js';
import { type ControlOptions, startControl } from '../src/server/index.js';
import { FakeFleet } from './fake-fleet.js';

vi.mock('../src/dashboard/page-files.js', () => {
	const file = {
		headers: { 'content-type': 'text/html', 'content-security-policy': "default-src 'none'" },
		body: Buffer.from('page'),
	};
	return { readPage: () => new Map([['', { ...file, zipped: gzipSync(file.body) }]]) };
});

beforeEach(() => {
	vi.stubEnv('SHARDCTL_STATE_DIR', tempDir('shardctl-state-'));
	return () => vi.unstubAllEnvs();
});

async function served(options: ControlOptions = { dashboard: 0 }, fleet = new FakeFleet()) {
	const lines: string[] = [];
	const logger = pino({}, { write: (line) => lines.push(line) });
	const control = await startControl(fleet, options, {
		file: 'bot.js',
		logger,
		clock: systemClock,
		token: 'the-token-of-the-bot',
	});
	onTestFinished(() => control.close({ how: 'stopped', code: null, message: 'stopped by a test' }));
	return { fleet, control, lines, client: createControlClient('fleet') };
}

type Served = Awaited<ReturnType<typeof served>>;

function logInWith(url: string, scheme = 'http:'): Promise<Response> {
	const { origin, host, hash } = new URL(url);
	const headers = { origin: `${scheme}//${host}`, 'x-shardctl-login': hash.replace('#login=', '') };
	return fetch(`${origin}/dashboard/login`, { method: 'POST', headers });
}

/** Requests of a page that is logged in. */
async function loggedIn({ client }: Served, input: { readOnly?: boolean } = {}) {
	const { url } = await client.dashboard(input);
	const response = await logInWith(url);
	const { pageKey } = (await response.json()) as { pageKey: string };
	const headers = {
		cookie: (response.headers.get('set-cookie') as string).split(';')[0] as string,
		'x-shardctl-dashboard': pageKey,
	};
	return (path: string, init: RequestInit = {}) =>
		fetch(new URL(path, url), { ...init, headers: { ...headers, ...(init.headers as Record<string, string>) } });
}

const post = { method: 'POST', body: '{}' };

it('logs a browser in once, which can then read and act', async () => {
	const dashboard = await served();
	const { url } = await dashboard.client.dashboard();
	expect((await logInWith(url)).status).toBe(200);
	const again = await logInWith(url);
	expect([again.status, await again.text()]).toEqual([401, expect.stringContaining('has been used or is too old')]);
	expect(again.headers.get('set-cookie')).toBeNull();

	const page = await loggedIn(dashboard);
	expect(await (await page('/v1/stats')).json()).toMatchObject({ manager: { name: 'fleet' } });
	expect((await page('/v1/shards/1/respawn', post)).status).toBe(200);
	expect(dashboard.fleet.actions).toEqual([['replaceWorker', 0, 'respawn requested']]);
	// Running code in the bot is a right of its own.
	expect((await page('/v1/eval', { method: 'POST', body: '{"code":"1"}' })).status).toBe(403);
});

it('keeps the session to TLS where the page came by it, through a proxy', async () => {
	const { client } = await served();
	const cookieOf = async (scheme: string) => (await logInWith((await client.dashboard()).url, scheme)).headers.get('set-cookie');
	expect(await cookieOf('https:')).toMatch(/; SameSite=Strict; Secure$/);
	expect(await cookieOf('http:')).toMatch(/; SameSite=Strict$/);
});

it('serves the page to all and its data to none without a session', async () => {
	const { control, lines } = await served();
	const base = control.url as string;
	const page = await fetch(`${base}/`);
	expect([page.url, await page.text()]).toEqual([`${base}/dashboard/`, 'page']);
	expect(page.headers.get('content-security-policy')).toBe("default-src 'none'");
	expect((await fetch(`${base}/dashboard/assets/none.js`)).status).toBe(404);
	for (const path of ['/dashboard/live', '/dashboard/history', '/v1/stats']) expect((await fetch(base + path)).status).toBe(401);
	expect((await fetch(`${base}/dashboard/login`, post)).status).toBe(403);
	// No secret is in the log.
	expect(lines.join('')).toMatch(/dashboard on http:\/\/127\.0\.0\.1:\d+\/dashboard; log in with/);
	expect(lines.join('')).not.toContain('login=');
});

it('opens on request, and is not there before', async () => {
	const dashboard = await served({});
	expect(dashboard.control.url).toBeUndefined();
	const page = await loggedIn(dashboard);
	expect(dashboard.control.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
	expect((await page('/v1/stats')).status).toBe(200);
});

it('reads no figures for history until it is asked for', async () => {
	const without = await served({ port: 0 });
	expect((await fetch(`${without.control.url}/dashboard/`)).status).toBe(401);
	expect(without.fleet.timesAsked).toBe(0);
	const page = await loggedIn(without);
	expect(without.fleet.timesAsked).toBe(1);
	expect(await (await page('/dashboard/history?range=hour')).json()).toMatchObject({ served: [4], guilds: [0] });
	expect(await (await page('/dashboard/history?range=day')).json()).toMatchObject({ served: [], guilds: [] });
});

it('gives a read-only session figures and events, and neither actions nor logs', async () => {
	const dashboard = await served();
	const page = await loggedIn(dashboard, { readOnly: true });
	for (const path of ['/v1/stats', '/v1/events', '/dashboard/history']) expect((await page(path)).status).toBe(200);
	for (const path of ['/v1/logs', '/v1/guilds/1']) expect((await page(path)).status).toBe(403);
	for (const path of ['/v1/stop', '/v1/restart', '/v1/dashboard']) expect((await page(path, post)).status).toBe(403);
	expect(dashboard.fleet.actions).toEqual([]);
});

it('lets no session act with dashboardReadOnly', async () => {
	const dashboard = await served({ dashboard: 0, dashboardReadOnly: true });
	expect(await dashboard.client.dashboard()).toMatchObject({ readOnly: true });
	expect((await (await loggedIn(dashboard))('/v1/stop', post)).status).toBe(403);
});

it('rejects requests of other origins and to other names, with the session and all', async () => {
	const dashboard = await served();
	const page = await loggedIn(dashboard);
	for (const headers of [{ origin: 'http://attacker.example' }, { 'sec-fetch-site': 'cross-site' }]) {
		expect((await page('/v1/stop', { ...post, headers })).status).toBe(401);
		expect((await page('/dashboard/live', { headers })).status).toBe(401);
	}
	expect(dashboard.fleet.actions).toEqual([]);
});

it('streams who the fleet is, its figures and each new event as a sentence, without the token of the bot', async () => {
	const dashboard = await served();
	const { fleet } = dashboard;
	fleet.emit({ type: 'worker:spawned', workerId: 0, shardIds: [0, 1], pid: 5, epoch: 1 });
	const gone = new AbortController();
	const response = await (await loggedIn(dashboard))('/dashboard/live', { signal: gone.signal });
	let text = '';
	const reader = (response.body as ReadableStream<Uint8Array<ArrayBuffer>>).pipeThrough(new TextDecoderStream()).getReader();
	const until = async (part: string) => {
		while (!text.includes(part)) text += (await reader.read()).value;
	};
	await until('event: stats');
	expect(text).toMatch(/event: hello\ndata: .*"rights":"act".*worker 0 \(shards 0-1\) started as process 5/);
	fleet.emit({ type: 'worker:rolled-back', workerId: 1, shardIds: [2, 3], reason: 'the-token-of-the-bot is in it' });
	await until('rolled back');
	expect(text).toContain('"level":"error","text":"worker 1 (shards 2-3) was rolled back: [the token of the bot] is in it"');
	gone.abort();
});

it('gives what a process that ended wrote last to a page that may act, and only how it ended to one that may read', async () => {
	const dashboard = await served();
	const { fleet } = dashboard;
	const open = async (flags: { readOnly?: boolean }) => {
		const gone = new AbortController();
		const response = await (await loggedIn(dashboard, flags))('/dashboard/live', { signal: gone.signal });
		const reader = (response.body as ReadableStream<Uint8Array<ArrayBuffer>>).pipeThrough(new TextDecoderStream()).getReader();
		let text = '';
		return {
			gone,
			async until(part: string) {
				while (!text.includes(part)) text += (await reader.read()).value;
				return text;
			},
		};
	};
	const exit = (workerId: number) =>
		fleet.emit({
			type: 'worker:exited',
			workerId,
			shardIds: [workerId],
			exit: {
				reason: 'hung',
				message: `worker ${workerId} hung`,
				code: null,
				signal: 'SIGKILL',
				pid: 7,
				uptimeMs: 1,
				stderrTail: ['a line of the bot'],
				stack: ['busy (bot.js:3)'],
			},
		});
	exit(0);
	const [acts, reads] = [await open({}), await open({ readOnly: true })];
	await Promise.all([acts.until('event: stats'), reads.until('event: stats')]);
	exit(1);
	const [acting, reading] = [await acts.until('worker 1 hung'), await reads.until('worker 1 hung')];
	expect(acting.match(/a line of the bot/g)).toHaveLength(2);
	expect(acting.match(/busy \(bot\.js:3\)/g)).toHaveLength(2);
	expect(reading).not.toContain('a line of the bot');
	expect(reading.match(/busy \(bot\.js:3\)/g)).toHaveLength(2);
	for (const { gone } of [acts, reads]) gone.abort();
});

/** A node of a cluster with another one, whose frames the test sends. */
class FakeNode extends FakeFleet {
	places: SessionPlace[] = [];
	readonly whole = new FakeFleet();
	sinks: FrameSink[] = [];
	earlier: FleetEvent[] = [];
	/** Redis does not answer. */
	isCutOff = false;
	readonly cluster: FleetCluster = {
		node: 'a',
		joined: true,
		whole: this.whole,
		nodes: async () => {
			if (this.isCutOff) throw new Error('no answer');
			return { cluster: { app: 'app', engine: 'redis', version: '8' }, nodes: [nodeInfo('a'), nodeInfo('b')] };
		},
		placement: async () => this.places,
		recentEvents: async () => this.earlier,
		follow: async (sink: FrameSink, _request: object, signal: AbortSignal) => {
			this.sinks.push(sink);
			signal.addEventListener('abort', () => this.sinks.splice(this.sinks.indexOf(sink), 1), { once: true });
		},
		serve() {},
	} as unknown as FleetCluster;

	/** An event of any node, as it arrives from it. */
	frame(event: object): void {
		for (const sink of this.sinks) sink.send(Buffer.from(`event: x\nid: 1\ndata: ${JSON.stringify(event)}\n\n`));
	}
}

const nodeInfo = (name: string) =>
	({
		name,
		status: 'ready',
		sessions: 1,
		shards: 1,
		workers: 1,
		capacity: null,
		leaseMs: 1,
		pid: 1,
		version: '1',
		startedAt: 1,
	}) as const;

/** The stream of a page, as text that grows. */
async function opened(dashboard: Served, flags: { readOnly?: boolean } = {}) {
	const gone = new AbortController();
	const response = await (await loggedIn(dashboard, flags))('/dashboard/live', { signal: gone.signal });
	const reader = (response.body as ReadableStream<Uint8Array<ArrayBuffer>>).pipeThrough(new TextDecoderStream()).getReader();
	let text = '';
	return {
		close: () => gone.abort(),
		async until(part: string) {
			while (!text.includes(part)) text += (await reader.read()).value;
			return text;
		},
	};
}

it('shows a page of a node the figures of all nodes, what moves, and what happens on each, while it is open', async () => {
	const fleet = new FakeNode();
	fleet.whole.stats = { ...(fleet.whole.stats as ManagerStats), health: { status: 'down', served: 0, shards: 4, causes: [] } };
	fleet.places = [
		{ session: 0, shardIds: [0, 1], node: 'a', phase: 'held', target: null },
		{ session: 1, shardIds: [2, 3], node: 'a', phase: 'moving', target: 'b' },
	];
	fleet.earlier = [
		{ seq: 1, at: 5, node: 'a', type: 'cluster:joined', tookMs: 1000 },
		{ seq: 1, at: 6, node: 'b', type: 'cluster:joined', tookMs: 2000 },
	];
	const dashboard = await served({ dashboard: 0 }, fleet);
	const page = await opened(dashboard);
	const text = await page.until('event: cluster');
	expect(text).toMatch(/event: hello\ndata: .*"node":"a"/);
	const cluster = JSON.parse(/event: cluster\ndata: (.*)/.exec(await page.until('}]}\n\n'))?.[1] ?? '') as DashboardCluster;
	expect(cluster.nodes.map(({ name }) => name)).toEqual(['a', 'b']);
	expect(cluster.moves).toEqual([{ session: 1, shardIds: [2, 3], from: 'a', to: 'b', phase: 'moving' }]);
	await page.until('"status":"down"');
	// Its own events are in the first message.
	const earlier = /event: events\ndata: (.*)/.exec(await page.until('event: events'))?.[1] ?? '';
	expect(JSON.parse(earlier)).toMatchObject([{ node: 'b', seq: 1, text: 'this node has joined the cluster after 2.0 s' }]);

	await vi.waitFor(() => expect(fleet.sinks).toHaveLength(1));
	fleet.frame({ seq: 9, at: 7, node: 'a', type: 'cluster:muted', sessions: 1 });
	fleet.frame({ seq: 2, at: 8, node: 'b', type: 'cluster:confirmed', mutedMs: 3000 });
	for (const nonsense of ['', '{', '[1]']) for (const sink of fleet.sinks) sink.send(Buffer.from(`data: ${nonsense}\n\n`));
	const all = await page.until('is confirmed again after 3.0 s","node":"b"}');
	expect(all).not.toContain('is not confirmed');
	// History is about all nodes too.
	const history = await (await loggedIn(dashboard))('/dashboard/history?range=hour');
	expect(await history.json()).toMatchObject({ served: [0] });
	page.close();
	await vi.waitFor(() => expect(fleet.sinks).toEqual([]), { timeout: 10_000 });
});

it('continues to show a page of a node what it knows while Redis does not answer', async () => {
	const fleet = new FakeNode();
	fleet.isCutOff = true;
	fleet.earlier = [{ seq: 1, at: 6, node: 'b', type: 'cluster:joined', tookMs: 2000 }];
	const page = await opened(await served({ dashboard: 0 }, fleet));
	expect(await page.until('event: stats')).not.toContain('event: cluster');
	fleet.isCutOff = false;
	await page.until('event: cluster');
	page.close();
});

it('gives what a process of another node wrote to a page that may act alone', async () => {
	const fleet = new FakeNode();
	const dashboard = await served({ dashboard: 0 }, fleet);
	const [acts, reads] = [await opened(dashboard), await opened(dashboard, { readOnly: true })];
	await vi.waitFor(() => expect(fleet.sinks).toHaveLength(1));
	const exit = {
		reason: 'exit-code',
		message: 'it exited',
		code: 1,
		signal: null,
		pid: 7,
		uptimeMs: 1,
		stderrTail: ['a line'],
		stack: [],
	};
	fleet.frame({ seq: 2, at: 8, node: 'b', type: 'worker:exited', workerId: 3, shardIds: [3], exit });
	expect(await acts.until('it exited')).toContain('a line');
	expect(await reads.until('it exited')).not.toContain('a line');
	for (const { close } of [acts, reads]) close();
});

it('keeps the history of each worker, for those who may read the fleet', async () => {
	const fleet = new FakeFleet();
	const worker = { id: 1, shardIds: [2, 3], rssBytes: 80 * 2 ** 20 };
	const shard = { workerId: 1, cpuPercent: 2, loopDelayMs: 5, guildCount: 1, ping: null };
	fleet.stats = { ...(fleet.stats as ManagerStats), workers: [worker], shards: [shard] } as unknown as ManagerStats;
	const dashboard = await served({ dashboard: 0 }, fleet);
	const page = await loggedIn(dashboard, { readOnly: true });
	const known = await (await page('/dashboard/history?range=hour&worker=1')).json();
	expect(known).toMatchObject({ memoryBytes: [80 * 2 ** 20], cpuPercent: [2], loopDelayMs: [5] });
	for (const id of ['2', '-1', '', '__proto__', '1e99']) {
		const none = await page(`/dashboard/history?range=day&worker=${id}`);
		expect(await none.json()).toEqual({ at: [], memoryBytes: [], cpuPercent: [], loopDelayMs: [] });
	}
	expect((await fetch(`${dashboard.control.url}/dashboard/history?worker=1`)).status).toBe(401);
});

it('uses the port of the control API, or its own', async () => {
	const { control, client } = await served({ port: 0, dashboard: true });
	expect((await client.dashboard()).url.startsWith(`${control.url}/dashboard/#login=`)).toBe(true);
});
