// What no hook of a library reaches: a discord.js that is bundled into the bot, a bot without a library, and the processes and threads
// that a bot file starts.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { tempDir, waitFor } from '@shardctl/test-support';
import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';
import { line, makeFleet, startFleet } from './bot-fleet.js';

const login = "const { Client } = require('discord.js'); new Client({ intents: ['Guilds'] }).login();";

const chatty = `
import { Client, Events } from 'discord.js';
const client = new Client({ intents: ['Guilds', 'GuildMessages', 'MessageContent'] });
client.on('messageCreate', async (message) => {
	if (message.content === 'ping') await message.reply('pong from ' + process.pid);
});
client.on('clientReady', () => console.log('READY ' + client.guilds.cache.size));
client.login(process.env.DISCORD_TOKEN);
`;

/** The source in one file with all that it imports. */
async function bundled(source: string, format: 'cjs' | 'esm'): Promise<string> {
	const input = join(tempDir(), 'bot.mjs');
	writeFileSync(input, source);
	const require = "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";
	const result = await build({
		entryPoints: [input],
		bundle: true,
		platform: 'node',
		format,
		minify: true,
		write: false,
		external: ['zlib-sync', 'bufferutil', 'utf-8-validate'],
		nodePaths: [fileURLToPath(new URL('../node_modules', import.meta.url))],
		...(format === 'esm' && { banner: { js: require } }),
	});
	return (result.outputFiles[0] as { text: string }).text;
}

describe.each(['direct', 'resident'] as const)('in %s mode', (gateway) => {
	it.each(['cjs', 'esm'] as const)('a bot with its discord.js in one %s file runs on the simulator', async (format) => {
		const file = format === 'cjs' ? 'bot.cjs' : 'bot.mjs';
		const fleet = await startFleet({ [file]: await bundled(chatty, format) }, { gateway, simulate: true });
		const { simulator, warnings, lines } = fleet;
		expect(warnings.filter((text) => text.includes('cannot hook the bot'))).toHaveLength(1);
		// One session for each shard: a client of its own beside a gateway process would make it two.
		expect(simulator.log.entries({ type: 'identify' })).toHaveLength(2);
		expect(simulator.state().connections).toBe(2);
		expect(simulator.violations({ hardOnly: true })).toEqual([]);
		await waitFor('both ready events', () => lines.filter((text) => text.startsWith('READY ')).length === 2);
	});
});

it('a bundled discord.js in resident mode is deployed, without an IDENTIFY and with every event', async () => {
	const fleet = await startFleet(
		{ 'bot.cjs': await bundled(chatty, 'cjs') },
		{ gateway: 'resident', simulate: true, totalShards: 1 },
	);
	const { manager, simulator } = fleet;
	await manager.deploy({ observeMs: 0 });
	expect(simulator.log.entries({ type: 'identify' })).toHaveLength(1);
	simulator.emit('MESSAGE_CREATE', { content: 'ping' });
	await waitFor('the answer', () =>
		simulator.log.entries({ type: 'rest' }).some(({ method, path }) => method === 'POST' && String(path).endsWith('/messages')),
	);
});

describe('on a simulator', () => {
	const ask = `fetch('https://discord.com/api/v10/users/@me', { headers: { authorization: 'Bot ' + process.env.DISCORD_TOKEN } }).then(async (response) => console.log(\`\${process.env.ASKER || 'thread'} IS \${(await response.json()).id}\`), console.log);`;

	it('nothing that the bot or what it starts sends to Discord leaves the machine', async () => {
		const { lines, simulator } = await startFleet(
			{
				'bot.cjs': `
const { fork, spawn, execSync } = require('node:child_process');
const { Worker } = require('node:worker_threads');
const { Client } = require('discord.js');
const client = new Client({ intents: ['Guilds'] });
client.once('clientReady', () => {
	const asker = (ASKER) => ({ env: { ...process.env, ASKER }, stdio: 'inherit', cwd: __dirname });
	fork('./ask.cjs', asker('fork'));
	fork('./ask.mjs', { ...asker('fork without arguments'), execArgv: [] });
	fork('./ask.cjs', { ...asker('fork'), env: { ASKER: 'environment of its own', DISCORD_TOKEN: process.env.DISCORD_TOKEN } });
	spawn(process.execPath, ['ask.cjs'], asker('spawn'));
	spawn('node ask.mjs', { ...asker('shell'), shell: true });
	execSync('node ask.cjs', asker('execSync'));
	new Worker(__dirname + '/ask.cjs');
	new Worker(__dirname + '/ask.cjs', { execArgv: [], env: { ASKER: 'thread of its own', DISCORD_TOKEN: process.env.DISCORD_TOKEN } });
	process.env.ASKER = 'bot';
	require('./ask.cjs');
	const { get } = require('node:https');
	get('https://discord.com/api/v10/gateway', (response) => response.on('data', (data) => console.log('https IS ' + JSON.parse(data).url)));
});
client.login();`,
				'ask.cjs': ask,
				'ask.mjs': ask,
			},
			{ simulate: true, totalShards: 1, shardsPerWorker: 1 },
		);
		const { id } = simulator.world.bot;
		const expected = [
			...[
				'fork',
				'fork without arguments',
				'environment of its own',
				'spawn',
				'shell',
				'execSync',
				'thread',
				'thread of its own',
				'bot',
			].map((asker) => `${asker} IS ${id}`),
			'https IS wss://gateway.discord.gg',
		].toSorted();
		const found = () => lines.filter((text) => text.includes(' IS ')).toSorted();
		await waitFor('every reply', () => found().length >= expected.length || lines.find((text) => text.includes('ENOTFOUND')));
		expect(found()).toEqual(expected);
	});

	it.each(['direct', 'resident'] as const)('a bot without a library connects to it, in %s mode', async (gateway) => {
		const fleet = await makeFleet(
			{
				'bot.cjs': `
const WebSocket = require('ws');
const socket = new WebSocket('wss://gateway.discord.gg/?v=10&encoding=json');
const send = (payload) => socket.send(JSON.stringify(payload));
socket.on('message', (data) => {
	const { op, d, t } = JSON.parse(data);
	if (op === 10) send({ op: 2, d: { token: process.env.DISCORD_TOKEN, intents: 1, shard: [Number(process.env.SHARDS), Number(process.env.SHARD_COUNT)], properties: {} } });
	if (t === 'READY') console.log('READY ' + d.guilds.length);
});
socket.on('error', (error) => console.log('READY failed ' + error.message));`,
			},
			{ gateway, simulate: true, totalShards: 1 },
		);
		fleet.manager.spawn().catch(() => {});
		expect(await line(fleet, 'READY ')).toBe('6');
	});
});

describe('a file that starts the bot as another process is refused at once, with the file to start', () => {
	it.each([
		['fork', "require('node:child_process').fork('./bot.js');"],
		[
			'fork with arguments and an environment of its own',
			"require('node:child_process').fork('./bot.js', [], { execArgv: [], env: { DISCORD_TOKEN: process.env.DISCORD_TOKEN } });",
		],
		['fork again and again', "const start = () => require('node:child_process').fork('./bot.js').on('exit', start); start();"],
		['spawn', "require('node:child_process').spawn(process.execPath, ['bot.js'], { stdio: 'inherit' });"],
		[
			'spawn with its output passed on',
			"const bot = require('node:child_process').spawn('node', ['.'], { cwd: __dirname }); bot.stderr.on('data', (data) => console.log('[bot] ' + data));",
		],
		['a shell', "require('node:child_process').spawn('node ./bot.js', { shell: true, stdio: 'inherit' });"],
		['execSync', "require('node:child_process').execSync('node bot.js', { stdio: 'inherit' });"],
		[
			'a process in between',
			"if (process.argv[2]) require('node:child_process').fork('./bot.js'); else require('node:child_process').fork(__filename, ['again']);",
		],
		['a thread', "new (require('node:worker_threads').Worker)('./bot.js');"],
		[
			'a thread with arguments and an environment of its own',
			"new (require('node:worker_threads').Worker)('./bot.js', { execArgv: [], env: { DISCORD_TOKEN: process.env.DISCORD_TOKEN } });",
		],
	])('%s', async (_, source) => {
		const { manager, simulator } = await makeFleet(
			{ 'index.js': source, 'bot.js': login, 'package.json': '{ "main": "bot.js" }' },
			{ simulate: true },
		);
		await expect(manager.spawn()).rejects.toMatchObject({
			code: 'BOT_FILE_INVALID',
			message: expect.stringMatching(/index\.js starts bot\.js in a (process|thread) of its own.*shardctl start \.\/bot\.js/),
			details: { problem: 'NESTED_MANAGER' },
		});
		expect(simulator.log.entries({ type: 'identify' })).toEqual([]);
	});

	it('also as an ES module that uses a shell', async () => {
		const { manager } = await makeFleet(
			{
				'start.mjs': "import { exec } from 'node:child_process'; exec('node bot.js').stderr.pipe(process.stderr);",
				'bot.js': login,
			},
			{ simulate: true },
		);
		await expect(manager.spawn()).rejects.toMatchObject({ details: { problem: 'NESTED_MANAGER' } });
	});

	it('but not a bot whose helper uses the REST API', async () => {
		const { manager, lines } = await startFleet(
			{
				'bot.cjs': `require('node:child_process').fork(__dirname + '/helper.cjs'); ${login}`,
				'helper.cjs':
					"fetch('https://discord.com/api/v10/gateway').then((response) => response.json()).then(({ url }) => console.log('HELPER ' + url));",
			},
			{ simulate: true, totalShards: 1 },
		);
		await waitFor('the helper', () => lines.includes('HELPER wss://gateway.discord.gg'));
		expect(await manager.broadcastEval('1')).toEqual([1]);
	});
});
