// Workers that are threads: each gateway library's example with several slices in one process, in direct and in resident mode, and what
// discord.js's contract for the mode "worker" promises to a bot.
import { createSimulator } from '@shardctl/simulator';
import { waitFor } from '@shardctl/test-support';
import { pino } from 'pino';
import { createShardManager } from 'shardctl';
import { describe, expect, it, onTestFinished } from 'vitest';
import { examplePath } from '../e2e/example-path.js';
import { makeFleet, startFleet } from './bot-fleet.js';

const identifyWindowMs = 300;

describe.each([
	['discord.js', 'plain-bot/bot.cjs'],
	['@discordjs/core', 'core-bot/bot.js'],
	['eris', 'eris-bot/bot.js'],
	['oceanic.js', 'oceanic-bot/bot.js'],
	['no library', 'no-library-bot/bot.js'],
])('a bot with %s in threads', (_, bot) => {
	it.each(['direct', 'resident'] as const)(
		'runs its slices in one process, replies, runs scripts and logs out: %s',
		async (gateway) => {
			const simulator = await createSimulator({ guilds: 24, maxConcurrency: 2, identifyWindowMs });
			const manager = createShardManager(examplePath(bot), {
				api: simulator.url,
				token: simulator.token,
				identifyWindowMs,
				control: false,
				logger: pino({ level: 'silent' }),
				silent: true,
				statsIntervalMs: 100,
				workerMode: 'thread',
				totalShards: 5,
				shardsPerWorker: 2,
				gateway,
			});
			onTestFinished(async () => {
				await manager.stop({ graceMs: 5000 });
				await simulator.stop();
			});
			const lines: string[] = [];
			manager.on('worker:log', ({ line }) => lines.push(line));
			await manager.spawn().catch((error: unknown) => {
				throw new Error(`not ready:\n${lines.join('\n')}`, { cause: error });
			});
			expect(simulator.violations({ hardOnly: true })).toEqual([]);
			expect(simulator.log.entries({ type: 'identify' })).toHaveLength(5);
			expect(new Set(await manager.broadcastEval('process.pid')).size).toBe(1);
			expect(await manager.broadcastEval('typeof client')).toEqual(['object', 'object', 'object']);

			await waitFor('the figures of every guild', async () => {
				const stats = await manager.getShardStats({ fresh: true });
				return stats.reduce((sum, shard) => sum + shard.guildCount, 0) === 24;
			});
			simulator.emit('MESSAGE_CREATE', { content: '!ping' });
			await waitFor('the answer', () =>
				simulator.log.entries({ type: 'rest' }).some(({ method, path, status }) => {
					return method === 'POST' && String(path).endsWith('/messages') && status === 200;
				}),
			);
			await manager.stop();
			await waitFor('the end of its connections', () => simulator.state().connections === 0);
		},
	);
});

it("keeps discord.js's contract of the mode worker", async () => {
	const bot = `
		const { Client, GatewayIntentBits } = require('discord.js');
		const { parentPort, workerData, isMainThread } = require('node:worker_threads');
		const client = new Client({ intents: [GatewayIntentBits.Guilds] });
		parentPort.on('message', (message) => parentPort.postMessage({ heard: message }));
		client.once('ready', () => client.shard.send({ sent: client.shard.ids }));
		console.log('facts ' + JSON.stringify({
			isMainThread, mode: process.env.SHARDING_MANAGER_MODE, own: client.shard.mode, port: client.shard.parentPort === parentPort,
			data: [workerData.SHARDS, workerData.SHARD_COUNT, workerData.DISCORD_TOKEN === process.env.DISCORD_TOKEN],
			keys: Object.keys(workerData).filter((key) => /shardctl/i.test(key) && key !== 'SHARDCTL_API'), ids: client.options.shards,
		}));
		client.login();
	`;
	const fleet = await startFleet({ 'bot.js': bot }, { workerMode: 'thread' });
	const messages: unknown[] = [];
	fleet.manager.on('message', ({ message }) => messages.push(message));
	const facts = fleet.lines.filter((line) => line.startsWith('facts ')).map((line) => JSON.parse(line.slice(6)));
	expect(facts.sort((a, b) => a.ids[0] - b.ids[0])).toEqual(
		[0, 1].map((id) => ({
			isMainThread: false,
			mode: 'worker',
			own: 'worker',
			port: true,
			data: [String(id), '2', true],
			keys: [],
			ids: [id],
		})),
	);
	await fleet.manager.send(1, { hello: 'thread' });
	await waitFor('the echo', () => messages.length > 0);
	expect(messages).toEqual([{ heard: { hello: 'thread' } }]);
});

it('shows what a thread writes to descriptors, as pino does, in its own log', async () => {
	const bot = `
		const { Client, GatewayIntentBits } = require('discord.js');
		const { writeSync } = require('node:fs');
		const client = new Client({ intents: [GatewayIntentBits.Guilds] });
		client.once('ready', () => {
			writeSync(1, 'written by shard ' + client.shard.ids + '\\n');
			writeSync(2, Buffer.from('complained of by shard ' + client.shard.ids + '\\n'));
		});
		client.login();
	`;
	const { manager } = await makeFleet({ 'bot.js': bot }, { workerMode: 'thread' });
	const lines: string[] = [];
	manager.on('worker:log', ({ workerId, stream, line }) => lines.push(`${workerId} ${stream} ${line}`));
	await manager.spawn();
	const expected = [0, 1].flatMap((id) => [`${id} stdout written by shard ${id}`, `${id} stderr complained of by shard ${id}`]);
	await waitFor('the lines', () => expected.every((line) => lines.includes(line)));
	expect(lines.filter((line) => / by shard /.test(line)).sort()).toEqual(expected.sort());
});
