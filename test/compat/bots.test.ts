// What real bots do, each as a small bot against a simulator: they see the same as without shardctl, or the difference is
// reported with a remedy.
import { waitFor } from '@shardctl/test-support';
import { describe, expect, it } from 'vitest';
import { line, makeFleet, startFleet } from './bot-fleet.js';

const modes = ['direct', 'resident'] as const;

describe.each(modes)('in %s mode', (gateway) => {
	it('a bot that removes every listener of its client is seen to disconnect and reconnect', async () => {
		const { manager, simulator } = await startFleet(
			{
				'bot.cjs': `
const { Client } = require('discord.js');
const client = new Client({ intents: ['Guilds'] });
client.removeAllListeners();
client.once('clientReady', () => client.removeAllListeners());
client.login();`,
			},
			{ gateway, totalShards: 1 },
		);
		await waitFor('its listeners to be gone', async () => {
			const counts = await manager.broadcastEval('client.eventNames().length');
			return counts[0] === 0;
		});
		const seen: string[] = [];
		manager.on('shard:reconnecting', () => seen.push('reconnecting'));
		manager.on('shard:ready', () => seen.push('ready'));
		manager.on('shard:resumed', () => seen.push('resumed'));
		if (gateway === 'direct') simulator.faults.reconnect();
		else await manager.broadcastEval("client.ws._ws.strategy.shards.get(0).destroy({ code: 4000, recover: 1 }), 'closed'");
		await waitFor('the shard to be back', () => seen.some((event) => event !== 'reconnecting'));
		expect(seen[0]).toBe('reconnecting');
	});

	it('a bot that removes every listener of process keeps its calls, its heartbeats and its shutdown', async () => {
		const { manager, simulator, lines } = await startFleet(
			{
				'bot.cjs': `
const { Client } = require('discord.js');
const { onShutdown } = require('shardctl/worker');
const client = new Client({ intents: ['Guilds'] });
client.once('clientReady', () => { process.removeAllListeners('message'); process.removeAllListeners(); client.removed = true; });
onShutdown(() => console.log('shut down in order'));
client.login();`,
			},
			{ gateway, totalShards: 1, heartbeatTimeoutMs: 1500, respawn: false },
		);
		await waitFor('its listeners to be gone', async () => (await manager.fetchClientValues('removed'))[0] === true);
		const before = manager.workers[0]?.child.pid;
		// Longer than the heartbeat timeout: the heartbeats in between count.
		const until = Date.now() + 3000;
		await waitFor('two heartbeat timeouts', () => Date.now() > until);
		expect(await manager.broadcastEval('1 + 1')).toEqual([2]);
		expect(manager.workers[0]?.child.pid).toBe(before);
		await manager.stop();
		expect(lines).toContain('shut down in order');
		expect(simulator.state().connections).toBe(0);
	});

	it('a bot that replaces process.send and closes its channel keeps its calls, its heartbeats and its shutdown', async () => {
		const { manager, simulator, lines } = await startFleet(
			{
				'bot.cjs': `
const { Client } = require('discord.js');
const { onShutdown } = require('shardctl/worker');
process.send = () => true;
const client = new Client({ intents: ['Guilds'] });
client.once('clientReady', async () => { process.disconnect(); client.called = await client.shard.broadcastEval('1 + 1'); });
onShutdown(() => console.log('shut down in order'));
client.login();`,
			},
			{ gateway, totalShards: 1, respawn: false },
		);
		await waitFor('its call', async () => (await manager.fetchClientValues('called'))[0] !== undefined);
		expect(await manager.fetchClientValues('called')).toEqual([[2]]);
		await manager.stop();
		expect(lines).toContain('shut down in order');
		expect(simulator.state().connections).toBe(0);
	});

	it('a bot that destroys its client and creates a new one has its scripts run on the logged-in one', async () => {
		const fleet = await startFleet(
			{
				'bot.cjs': `
const { Client } = require('discord.js');
let n = 0;
function make() {
	const client = new Client({ intents: ['Guilds'], shards: n === 0 ? undefined : 'auto' });
	client.number = ++n;
	client.once('clientReady', async () => {
		if (client.number === 1) { await client.destroy(); make(); return; }
		console.log('RESULT ' + JSON.stringify([client.shard.client === client, client.shard.ids, await client.shard.broadcastEval((c) => [c.number, c.guilds.cache.size, c.isReady()])]));
	});
	client.login();
}
make();`,
			},
			{ gateway, totalShards: 1 },
		);
		expect(JSON.parse(await line(fleet, 'RESULT '))).toEqual([true, [0], [[2, 6, true]]]);
		await waitFor('its figures', async () => (await fleet.manager.getShardStats({ fresh: true }))[0]?.guildCount === 6);
	});
});

describe('a bot', () => {
	it('reads SHARDS as one number when its worker has one shard, as from a ShardingManager', async () => {
		const { manager } = await startFleet({
			'bot.cjs': `
const { Client } = require('discord.js');
const client = new Client({ intents: ['Guilds'] });
client.read = [process.env.SHARDS, Number(process.env.SHARDS), parseInt(process.env.SHARDS)];
client.login();`,
		});
		expect(await manager.fetchClientValues('read')).toEqual([
			['0', 0, 0],
			['1', 1, 1],
		]);
		expect(await manager.fetchClientValues('shard.ids')).toEqual([[0], [1]]);
	});

	it('whose handlers never settle leaks no more than without shardctl', async () => {
		const source = (report: string) => `
const { Client } = require('discord.js');
const client = new Client({ intents: ['Guilds'] });
client.on('never', () => new Promise(() => {}));
const measure = () => { global.gc(); const before = process.memoryUsage().heapUsed; for (let i = 0; i < 100000; i++) client.emit('never', i); setTimeout(() => { global.gc(); const kib = Math.round((process.memoryUsage().heapUsed - before) / 1024); ${report} }, 300); };
client.once('clientReady', measure);
client.login();`;
		const fleet = await startFleet(
			{ 'bot.cjs': source("console.log('KEPT ' + kib)") },
			{ totalShards: 1, execArgv: ['--expose-gc'] },
		);
		expect(Number(await line(fleet, 'KEPT '))).toBeLessThan(1024);
	});

	it('gets values with the keys that JSON.stringify gives them', async () => {
		const fleet = await startFleet(
			{
				'bot.cjs': `
const { Client } = require('discord.js');
const client = new Client({ intents: ['Guilds'] });
client.once('clientReady', async () => {
	const got = {
		top: (await client.shard.broadcastEval((c) => c.user))[0],
		field: (await client.shard.broadcastEval((c) => ({ owner: c.user })))[0].owner,
		fetched: (await client.shard.fetchClientValues('user'))[0],
		list: (await client.shard.broadcastEval((c) => c.guilds.cache.map((g) => g.members.me)))[0][0],
		guild: (await client.shard.broadcastEval((c) => c.guilds.cache.first()))[0],
	};
	const keys = (value) => Object.keys(value).sort().join();
	const json = (value) => JSON.parse(JSON.stringify({ value })).value;
	const user = json(client.user);
	console.log('SAME ' + JSON.stringify([keys(got.top) === keys(user), keys(got.field) === keys(user), keys(got.fetched) === keys(user), keys(got.list) === keys(json([client.guilds.cache.first().members.me])[0]), keys(got.guild) === keys(json(client.guilds.cache.first()))]));
});
client.login();`,
			},
			{ totalShards: 1 },
		);
		expect(JSON.parse(await line(fleet, 'SAME '))).toEqual([true, true, true, true, true]);
	});

	it('that was compiled runs its scripts in other workers', async () => {
		const fleet = await startFleet(
			{
				'bot.ts': `
import { Client } from 'discord.js';
const client: Client = new Client({ intents: ['Guilds'] });
client.once('clientReady', async () => {
	const run = (script: any, options: object = {}) => client.shard!.broadcastEval(script, options).catch((error: Error) => error.message);
	console.log('RESULT ' + JSON.stringify([
		await run((c: any) => { function label(n: number) { return 'n' + n; } const big = (g: any) => g.memberCount > 0; return label(c.guilds.cache.filter(big).size); }),
		await run(async (c: any, { id }: any) => { const wait = async () => id; return wait(); }, { context: { id: '1' } }),
		await run((c: any, x: any) => { const { a, ...rest } = x; return Object.keys({ ...rest, a }).length; }, { context: { a: 1, b: 2 } }),
		await run((c: any) => { class A { x = 1; get y() { return this.x; } } return new A().y; }),
	]));
});
client.login();`,
				'package.json': '{}',
			},
			{ totalShards: 1, execArgv: ['--require', 'tsx/cjs'] },
		);
		expect(JSON.parse(await line(fleet, 'RESULT '))).toEqual([['n6'], ['1'], [2], [1]]);
	});

	it('with an old oceanic.js runs its shards once it is attached', async () => {
		const { manager, simulator } = await startFleet({
			'bot.cjs': `
const { Client } = require('oceanic.js-1.6');
const { attach } = require('shardctl/worker');
const client = new Client({ auth: 'Bot ' + process.env.DISCORD_TOKEN, gateway: { intents: ['GUILDS'] } });
attach(client);
client.on('error', console.error);
client.connect();`,
		});
		expect(await manager.broadcastEval('[...client.shards.keys()]')).toEqual([[0], [1]]);
		expect(simulator.log.entries({ type: 'identify' })).toHaveLength(2);
		expect(simulator.violations({ hardOnly: true })).toEqual([]);
	});

	it.each(['commonjs', 'module'])(
		'in TypeScript (%s) runs with the loader it depends on, which is reported once',
		async (type) => {
			const { manager, warnings } = await startFleet(
				{
					'bot.ts': `
import { Client } from 'discord.js';
enum Kind { Guilds = 'Guilds' }
const client: Client = new Client({ intents: [Kind.Guilds] });
client.login();`,
					'package.json': JSON.stringify({ type, devDependencies: { tsx: '*' } }),
				},
				{},
				'info',
			);
			expect(await manager.broadcastEval('client.shard.constructor.name')).toEqual([
				'ShardctlShardClient',
				'ShardctlShardClient',
			]);
			expect(warnings.filter((text) => text.includes("using tsx from the bot's dependencies"))).toHaveLength(1);
		},
	);

	it('that reads its standard input keeps running, as in a terminal, and exits when it is stopped', async () => {
		const { manager, lines } = await startFleet(
			{
				'bot.cjs': `
const { Client } = require('discord.js');
const input = require('node:readline').createInterface({ input: process.stdin });
input.on('close', () => { console.log('stdin closed'); process.exit(0); });
const client = new Client({ intents: ['Guilds'] });
client.login();`,
			},
			{ totalShards: 1, respawn: false },
		);
		expect(await manager.broadcastEval('1')).toEqual([1]);
		await manager.stop();
		expect(lines).not.toContain('stdin closed');
	});
});

describe('a bot that cannot run under a manager is rejected at once, with a remedy', () => {
	const client = "const { Client } = require('discord.js'); new Client({ intents: [] }).login();";

	it.each([
		[
			'a ShardingManager',
			"const { ShardingManager } = require('discord.js'); const m = new ShardingManager('./bot.js', { totalShards: 2 }); m.on('shardCreate', () => console.log('launched')); m.spawn().catch(() => {});",
			/index\.cjs starts a ShardingManager of discord\.js for \.\/bot\.js.*shardctl start \.\/bot\.js/,
		],
		[
			'a class of its own on it',
			"const { ShardingManager } = require('discord.js'); class Own extends ShardingManager { constructor() { super('./bot.js', {}); this.x = 1; } } new Own().spawn();",
			/shardctl start \.\/bot\.js/,
		],
		[
			'a ClusterManager',
			"const { ClusterManager } = require('discord-hybrid-sharding'); const m = new ClusterManager(__dirname + '/bot.js', { totalShards: 2 }); m.spawn({ timeout: -1 });",
			/index\.cjs starts a ClusterManager of discord-hybrid-sharding for .*bot\.js/,
		],
		[
			'cluster.fork()',
			"const cluster = require('node:cluster'); if (cluster.isPrimary) cluster.fork(); else require('./bot.js');",
			/index\.cjs starts processes with cluster\.fork\(\)/,
		],
	])('%s', async (_, source, message) => {
		const { manager, lines, simulator } = await makeFleet({ 'index.cjs': source, 'bot.js': client });
		await expect(manager.spawn()).rejects.toMatchObject({
			code: 'BOT_FILE_INVALID',
			message: expect.stringMatching(message),
			details: { problem: 'NESTED_MANAGER' },
		});
		expect(lines).not.toContain('launched');
		expect(simulator.log.entries({ type: 'identify' })).toEqual([]);
	});

	it.each([
		[
			'eris',
			"const bot = new (require('eris').Client)(process.env.DISCORD_TOKEN, { intents: ['guilds'], maxShards: 'auto' }); bot.connect();",
		],
		[
			'oceanic.js',
			"const { Client } = require('oceanic.js'); new Client({ auth: 'Bot ' + process.env.DISCORD_TOKEN }).connect();",
		],
		[
			'@discordjs/ws',
			"const { WebSocketManager } = require('@discordjs/ws'); const { REST } = require('@discordjs/rest'); const token = process.env.DISCORD_TOKEN; new WebSocketManager({ token, intents: 0, rest: new REST().setToken(token) }).connect();",
		],
	])('a client of %s without attach()', async (library, source) => {
		const { manager, simulator } = await makeFleet({ 'index.cjs': source });
		await expect(manager.spawn()).rejects.toMatchObject({
			code: 'BOT_FILE_INVALID',
			message: expect.stringMatching(
				new RegExp(`the bot's ${library.replace('.', '\\.')} \\d+\\.\\S+ client connects without attach\\(\\)`),
			),
			details: { problem: 'NOT_ATTACHED' },
		});
		expect(simulator.log.entries({ type: 'identify' })).toEqual([]);
	});

	it('also as an ES module', async () => {
		const { manager } = await makeFleet({
			'index.mjs': `
import { WebSocketManager } from '@discordjs/ws';
import { REST } from '@discordjs/rest';
const token = process.env.DISCORD_TOKEN;
new WebSocketManager({ token, intents: 0, rest: new REST().setToken(token) }).connect();`,
			'package.json': '{"dependencies":{"@discordjs/ws":"*"}}',
		});
		await expect(manager.spawn()).rejects.toMatchObject({ code: 'BOT_FILE_INVALID', details: { problem: 'NOT_ATTACHED' } });
	});
});

it.each([
	['runs without logging in', 'setInterval(() => {}, 1000);', /the file runs but does not log in to Discord.*client\.login\(\)/],
	['ends without logging in', '', /the file ended before it logged in to Discord.*client\.login\(\)/],
])('a file that %s is reported once, with a remedy, while it is retried', async (_, source, text) => {
	const { manager, warnings } = await makeFleet({ 'index.cjs': source }, { readyTimeoutMs: 1000 });
	let exits = 0;
	manager.on('worker:exited', () => exits++);
	manager.spawn().catch(() => {});
	await waitFor('each of the two workers to end twice', () => exits >= 4);
	expect(warnings.filter((line) => text.test(line))).toHaveLength(1);
});

describe('a bot of discord-hybrid-sharding', () => {
	it('finds client.cluster in each of its four files, unmodified', async () => {
		const fleet = await startFleet(
			{
				'bot.cjs': `
const { Client } = require('discord.js');
const { ClusterClient, getInfo } = require('discord-hybrid-sharding');
const client = new Client({ shards: getInfo().SHARD_LIST, shardCount: getInfo().TOTAL_SHARDS, intents: ['Guilds'] });
client.cluster = new ClusterClient(client);
client.instance = client.cluster instanceof ClusterClient;
client.events = [];
client.cluster.on('ready', () => client.events.push('ready'));
require('./stats.cjs')(client);
require('./admin.cjs')(client);
require('./messages.cjs')(client);
client.once('clientReady', () => client.cluster.triggerReady());
client.login();`,
				'stats.cjs': `
module.exports = (client) => {
	client.stats = async () => ({
		guilds: (await client.cluster.broadcastEval('this.guilds.cache.size')).reduce((a, b) => a + b, 0),
		fetched: await client.cluster.fetchClientValues('guilds.cache.size'),
		context: await client.cluster.broadcastEval((c, { add }) => c.cluster.id + add, { context: { add: 1 } }),
		own: [client.cluster.id, client.cluster.count, client.cluster.shardList, [...client.cluster.shards.keys()], client.cluster.info.TOTAL_SHARDS],
	});
};`,
				'admin.cjs': `
module.exports = (client) => {
	client.admin = async (guildId) => ({
		one: await client.cluster.broadcastEval((c) => c.cluster.id, { cluster: 1 }),
		some: await client.cluster.broadcastEval((c) => c.cluster.id, { cluster: [1, 0] }),
		shard: await client.cluster.broadcastEval((c) => c.cluster.id, { shard: 3 }),
		guild: (await client.cluster.broadcastEval((c, id) => c.guilds.cache.has(id), { guildId, context: guildId })),
		none: await client.cluster.broadcastEval(() => 1, { cluster: 9 }).catch((error) => error.code),
		manager: await client.cluster.evalOnManager('1').catch((error) => error.message),
		maintenance: client.cluster.triggerMaintenance('update'),
	});
};`,
				'messages.cjs': `
module.exports = (client) => {
	client.heard = [];
	client.cluster.on('message', (message) => client.heard.push(message));
	client.sendHello = () => client.cluster.send({ hello: 'manager' });
};`,
			},
			{ totalShards: 4, shardsPerWorker: 2 },
		);
		const { manager, simulator } = fleet;
		const eachGuilds = manager.workers.map(
			({ shardIds }) =>
				[...simulator.world.guilds.ids()].filter((id) => shardIds.includes(manager.shardIdForGuild(id) as number)).length,
		);
		expect(await manager.broadcastEval('client.stats()', { shard: 2 })).toEqual({
			guilds: 6,
			fetched: eachGuilds,
			context: [1, 2],
			own: [1, 2, [2, 3], [2, 3], 4],
		});
		const guildId = [...simulator.world.guilds.ids()][0] as string;
		expect(
			await manager.broadcastEval((client: { admin(id: string): unknown }, id: string) => client.admin(id), {
				shard: 0,
				context: guildId,
			}),
		).toEqual({
			one: [1],
			some: [1, 0],
			shard: [1],
			guild: [true],
			none: 'SHARD_NOT_OWNED',
			manager: expect.stringContaining('client.cluster.evalOnManager() has no counterpart'),
			maintenance: 'update',
		});
		const heard = new Promise((resolve) => manager.once('message', resolve));
		await manager.broadcastEval('client.sendHello()', { shard: 0 });
		expect(await heard).toMatchObject({ workerId: 0, message: { hello: 'manager' } });
		await manager.send(0, { hello: 'bot' });
		await waitFor('the message', async () =>
			JSON.stringify(await manager.fetchClientValues('heard', { shard: 0 })).includes('bot'),
		);
		expect(await manager.broadcastEval('[client.instance, client.events, client.cluster.ready]')).toEqual([
			[true, ['ready'], true],
			[true, ['ready'], true],
		]);
	});
});

it('a bot that imports its event files while it logs in gets its ready event, also after a deploy', async () => {
	const fleet = await startFleet(
		{
			'bot.mjs': `
				import { readdir } from 'node:fs/promises';
				import { Client } from 'discord.js';
				const client = new Client({ intents: ['Guilds'] });
				// Reads its files until it is ready, which is too late for the listener, or for 500 ms.
				(async () => {
					const end = performance.now() + 500;
					while (!client.isReady() && performance.now() < end) await readdir(process.cwd());
					const { name, execute } = (await import('./ready.mjs')).default;
					client.once(name, execute);
				})();
				client.login();
			`,
			'ready.mjs': "export default { name: 'clientReady', execute: () => console.log('HEARD', process.pid) };",
		},
		{ gateway: 'resident', totalShards: 1 },
	);
	const heard = () => fleet.lines.filter((text) => text.startsWith('HEARD')).length;
	await waitFor('the first process to hear it', () => heard() === 1);
	await fleet.manager.deploy({ observeMs: 0 });
	await waitFor('the next process to hear it', () => heard() === 2);
	expect(new Set(fleet.lines.filter((text) => text.startsWith('HEARD'))).size).toBe(2);
});
