// Clients that keep the control API waiting, on both of its sockets: each is closed within a limit that is reported, and the others are served.
import { join } from 'node:path';
import { fakeClock, slowClients, tempDir, waitFor } from '@shardctl/test-support';
import { pino } from 'pino';
import { beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import { createControlClient } from '../src/index.js';
import { startControl } from '../src/server/index.js';
import { FakeFleet } from './fake-fleet.js';

vi.mock('../src/dashboard/page-files.js', () => {
	const page = Buffer.from('page');
	return { readPage: () => new Map([['', { headers: { 'content-type': 'text/html' }, body: page, zipped: page }]]) };
});

const token = 'a-token-of-sixteen-characters-or-more';
let stateDir: string;

beforeEach(() => {
	stateDir = tempDir('shardctl-state-');
	vi.stubEnv('SHARDCTL_STATE_DIR', stateDir);
	return () => vi.unstubAllEnvs();
});

async function served() {
	const lines: string[] = [];
	const clock = fakeClock();
	const logger = pino({}, { write: (line) => lines.push(line) });
	const control = await startControl(new FakeFleet(), { port: 0, token, dashboard: true }, { file: 'bot.js', logger, clock });
	onTestFinished(async () => {
		const closed = control.close({ how: 'stopped', code: null, message: 'stopped by a test' });
		await clock.advance(1000);
		await closed;
	});
	const url = control.url as string;
	return {
		clock,
		url,
		reports: () => lines.filter((line) => line.includes('closed a connection')).map((line) => JSON.parse(line).msg as string),
		tcp: { port: Number(new URL(url).port), host: '127.0.0.1' },
		local: { path: join(stateDir, 'fleet.sock') },
	};
}

type Slow = Awaited<ReturnType<typeof slowClients>>;
const kinds: [number, string, (clients: Slow) => void][] = [
	[1000, 'send nothing', () => {}],
	[1000, 'send their request byte by byte', (clients) => clients.sendByte()],
	[200, 'send requests without a token', (clients) => clients.send('GET /v1/stats HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n')],
];

it.each(kinds)('closes %i connections over TCP that %s', async (count, _, act) => {
	const { clock, url, tcp, reports } = await served();
	const slow = await slowClients(tcp, count);
	onTestFinished(() => slow.close());
	const client = createControlClient({ url, token });
	let seconds = 0;
	await waitFor('their end', async () => {
		if (seconds++ % 3 === 0) act(slow);
		expect((await client.stats()).manager.name).toBe('fleet');
		await clock.advance(1000);
		return slow.open() === 0;
	});
	expect(seconds).toBeGreaterThanOrEqual(10);
	await clock.advance(10_000);
	expect(reports()[0]).toBe('control API: closed a connection: it sent no request that is allowed within 10 s');
	expect(reports().length).toBeLessThan(5);
});

it.runIf(process.platform !== 'win32').each(kinds.slice(0, 2).map(([, what, act]) => [what, act] as const))(
	'closes 1,000 connections of this user that %s',
	async (_, act) => {
		const { clock, local, reports } = await served();
		const slow = await slowClients(local, 400);
		onTestFinished(() => slow.close());
		const client = createControlClient('fleet');
		await waitFor('their end', async () => {
			act(slow);
			expect((await client.stats()).manager.name).toBe('fleet');
			await clock.advance(1000);
			return slow.open() === 0;
		});
		await clock.advance(10_000);
		expect(reports().length).toBeGreaterThan(0);
	},
);

it('serves a client with the token while 2,000 silent connections are open, and keeps 1,024 of them', async () => {
	const { url, tcp, reports } = await served();
	const slow = await slowClients(tcp, 2000);
	onTestFinished(() => slow.close());
	await waitFor('the oldest to be closed', () => slow.open() <= 1024);
	const client = createControlClient({ url, token });
	expect((await client.stats()).manager.name).toBe('fleet');
	expect(reports()[0]).toBe(
		'control API: closed a connection: it sent no request that is allowed, and 1024 newer ones wait as well',
	);
});

it.each([
	['a probe that needs no token', '/healthz'],
	['the page of the dashboard', '/dashboard/'],
])('leaves the connection of %s open', async (_, path) => {
	const { clock, tcp, reports } = await served();
	const probe = await slowClients(tcp, 1);
	onTestFinished(() => probe.close());
	for (let second = 0; second < 15; second++) {
		const before = probe.receivedBytes();
		probe.send(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`);
		await waitFor('the response', () => probe.receivedBytes() > before);
		await clock.advance(1000);
	}
	expect([probe.open(), reports()]).toEqual([1, []]);
});
