// What a library sees of Discord's REST API through the REST process, compared with what it sees without: the same probes for each
// library, in both modes at once. Compared are what Discord gets (each request, in order) and what the bot gets.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { createSimulator } from '@shardctl/simulator';
import { waitFor } from '@shardctl/test-support';
import { pino } from 'pino';
import { createShardManager } from 'shardctl';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Answer, type Arrived, scriptedDiscord } from './scripted-discord.js';

interface Probe {
	title: string;
	ask: {
		method: string;
		path: string;
		query?: Record<string, string>;
		json?: object;
		fileBytes?: number;
		reason?: string;
		auth?: boolean;
		/** How long the library waits for Discord. */
		timeoutMs?: number;
	};
	answers: Answer[];
	/** What Discord gets first, in both modes and from every library. */
	arrives?: Partial<Arrived>;
	/** The bot cancels the request when Discord has it. */
	cancelled?: boolean;
}

interface Outcome {
	/** What Discord gets. */
	arrived: readonly Arrived[];
	/** What the bot gets. */
	got: unknown;
}

interface Outcomes {
	results: Record<string, Outcome>;
	/** Of the REST process. */
	requests: number;
}

const mebibyte = 2 ** 20;
/** A channel for each probe, so that no bucket is shared. */
let channels = 0;
const channel = (rest = '') => `/channels/9000000000000000${String(++channels).padStart(2, '0')}${rest}`;
const ok: Answer = {
	status: 200,
	headers: { 'x-ratelimit-limit': '5', 'x-ratelimit-remaining': '4', 'x-ratelimit-reset-after': '1', 'x-ratelimit-bucket': 'b' },
	body: { id: '1', content: 'Grüße 😀' },
};
const error = (status: number, code: number, message: string): Answer => ({ status, body: { code, message } });

const probes: Probe[] = [
	{ title: 'a message', ask: { method: 'POST', path: channel('/messages'), json: { content: 'Grüße 😀' } }, answers: [ok] },
	{
		title: 'an upload of 24 MiB',
		ask: { method: 'POST', path: channel('/messages'), json: { content: 'a' }, fileBytes: 24 * mebibyte },
		answers: [ok],
		arrives: { type: 'multipart/form-data', files: [24 * mebibyte] },
	},
	{
		title: 'an upload that is too large for Discord',
		ask: { method: 'POST', path: channel('/messages'), json: { content: 'a' }, fileBytes: 26 * mebibyte },
		answers: [error(413, 40005, 'Request entity too large')],
		arrives: { files: [26 * mebibyte] },
	},
	{
		title: 'a reason',
		ask: { method: 'PATCH', path: channel(), json: { name: 'a' }, reason: 'why not? ü & 100 %' },
		answers: [ok],
		arrives: { reason: 'why not? ü & 100 %', body: '{"name":"a"}' },
	},
	{
		title: 'a query string',
		ask: { method: 'GET', path: channel('/messages'), query: { limit: '50', around: 'a b&c=ü/%' } },
		answers: [ok],
	},
	{ title: '204', ask: { method: 'DELETE', path: channel('/messages/900000000000000100') }, answers: [{ status: 204 }] },
	{
		title: 'a compressed response',
		ask: { method: 'GET', path: channel() },
		answers: [{ status: 200, body: { a: 'b' }, compressed: true }],
	},
	{
		title: '400',
		ask: { method: 'POST', path: channel('/messages'), json: {} },
		answers: [
			{
				status: 400,
				body: {
					code: 50035,
					message: 'Invalid Form Body',
					errors: { content: { _errors: [{ code: 'BASE_TYPE_REQUIRED', message: 'This field is required' }] } },
				},
			},
		],
	},
	{ title: '403', ask: { method: 'GET', path: channel() }, answers: [error(403, 50001, 'Missing Access')] },
	{ title: '404', ask: { method: 'GET', path: channel() }, answers: [error(404, 10003, 'Unknown Channel')] },
	{ title: '503 for good', ask: { method: 'GET', path: channel() }, answers: [error(503, 0, 'Service Unavailable')] },
	{
		title: '502 once, for a request that changes something',
		ask: { method: 'POST', path: channel('/messages'), json: { content: 'a' } },
		answers: [error(502, 0, 'Bad Gateway'), ok],
	},
	{
		title: '429 of a shared resource, once',
		ask: { method: 'POST', path: channel('/messages'), json: { content: 'a' } },
		answers: [
			{
				status: 429,
				headers: { 'retry-after': '1', 'x-ratelimit-scope': 'shared' },
				body: { message: 'The resource is being rate limited.', retry_after: 0.3, global: false },
			},
			ok,
		],
	},
	{
		title: 'the response to an interaction',
		ask: { method: 'POST', path: '/interactions/900000000000000100/token/callback', json: { type: 5 }, auth: false },
		answers: [{ status: 204 }],
	},
	{
		title: 'a Discord that closes the connection',
		ask: { method: 'POST', path: channel('/messages'), json: {} },
		answers: ['close'],
	},
	{ title: 'a Discord that breaks off its response', ask: { method: 'GET', path: channel() }, answers: ['half'] },
	{
		title: 'a Discord that hangs',
		ask: { method: 'POST', path: channel('/messages'), json: {}, timeoutMs: 3000 },
		answers: ['hang'],
	},
];
/** Not every library can cancel a request. */
const cancelled: Probe = {
	title: 'a caller that cancels',
	ask: { method: 'POST', path: channel('/messages'), json: {} },
	answers: ['hang'],
	cancelled: true,
};

const python = ['/usr/bin/python3', 'python3'].find((command) => spawnSync(command, ['-c', 'import discord']).status === 0);
if (!python) console.error('NOTICE: discord.py is not installed (apt install python3-discord); its test is skipped.');

/** Runs all probes, one after the other, with the bot as a worker. */
async function outcomes(bot: string, rest: 'direct' | 'shared', list: readonly Probe[]): Promise<Outcomes> {
	const simulator = await createSimulator({ guilds: 1, maxConcurrency: 16 });
	const discord = await scriptedDiscord(simulator);
	const manager = createShardManager(fileURLToPath(new URL(`fixtures/${bot}`, import.meta.url)), {
		api: discord.url,
		token: simulator.token,
		totalShards: 1,
		control: false,
		logger: pino({ level: 'silent' }),
		silent: true,
		env: { PYTHON: python ?? '', DISCORD_API: discord.url },
		rest,
	});
	onTestFinished(async () => {
		await manager.stop({ graceMs: 2000 });
		await discord.close();
		await simulator.stop();
	});
	const lines: string[] = [];
	manager.on('worker:log', ({ line }) => lines.push(line));
	await manager.spawn().catch((cause: unknown) => {
		throw new Error(`not ready:\n${lines.join('\n')}`, { cause });
	});
	const results: Record<string, Outcome> = {};
	for (const { title, ask, answers, cancelled: cancels } of list) {
		discord.script(ask.path, answers);
		const answer = manager.call('ask', [{ timeoutMs: 60_000, ...ask }], { timeoutMs: 120_000 });
		if (cancels) {
			await waitFor('the request at Discord', () => discord.arrived(ask.path).length > 0);
			await manager.call('cancel', []);
		}
		const [got] = (await answer) as [unknown];
		await waitFor(`the end of every request: ${title}`, () => discord.open === 0);
		results[title] = { arrived: discord.arrived(ask.path), got: withoutWorker(got) };
	}
	return { results, requests: (await manager.getStats()).rest?.requests ?? 0 };
}

/** Some libraries name the path of the request in their errors, which begins with that of the worker there. */
function withoutWorker(got: unknown): unknown {
	return JSON.parse(JSON.stringify(got).replaceAll(/\/worker\/\d+\/[\w-]{22}(?=\/)/g, '/api'));
}

describe.each([
	['discord.js 14', 'discord-js.cjs', [...probes, cancelled]],
	['@discordjs/rest', 'discordjs-rest.mjs', [...probes, cancelled]],
	['eris', 'eris.mjs', probes],
	['oceanic.js', 'oceanic.mjs', probes],
	...(python ? [['discord.py', 'discord-py.mjs', [...probes, cancelled]] as const] : []),
] as const)('%s', (_, bot, list) => {
	it('sees through the REST process what it sees without', async () => {
		const [direct, shared] = await Promise.all([outcomes(bot, 'direct', list), outcomes(bot, 'shared', list)]);
		expect(shared.results).toEqual(direct.results);
		const first = list.map(({ title, ask: { method }, arrives }) => {
			return [title, { arrived: expect.arrayContaining([expect.objectContaining({ method, ...arrives })]) }];
		});
		expect(direct.results).toMatchObject(Object.fromEntries(first));
		expect(direct.requests).toBe(0);
		expect(shared.requests).toBeGreaterThanOrEqual(list.length);
	});
});
