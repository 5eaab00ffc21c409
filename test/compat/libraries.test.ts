// Each gateway library's example as a fleet: it gets its shards, keeps the identify rate limit, is seen by the manager, reaches
// REST, and logs out. With a strict simulator whose identify window is short.
import { createSimulator, type SimulatorOptions } from '@shardctl/simulator';
import { waitFor } from '@shardctl/test-support';
import { pino } from 'pino';
import { createShardManager, type ShardManagerOptions } from 'shardctl';
import { describe, expect, it, onTestFinished } from 'vitest';
import { examplePath } from '../e2e/example-path.js';

const identifyWindowMs = 300;

async function fleet(bot: string, options: ShardManagerOptions, simulated: SimulatorOptions = {}) {
	const simulator = await createSimulator({ guilds: 24, maxConcurrency: 2, identifyWindowMs, ...simulated });
	const manager = createShardManager(examplePath(bot), {
		api: simulator.url,
		token: simulator.token,
		identifyWindowMs,
		control: false,
		logger: pino({ level: 'silent' }),
		silent: true,
		statsIntervalMs: 100,
		...options,
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
	return { simulator, manager, lines };
}

describe.each([
	['discord.js', 'plain-bot/bot.cjs'],
	['@discordjs/core', 'core-bot/bot.js'],
	['eris', 'eris-bot/bot.js'],
	['oceanic.js', 'oceanic-bot/bot.js'],
	['no library', 'no-library-bot/bot.js'],
])('a bot with %s', (_, bot) => {
	it('runs its shards, gaps included, without an early identify', async () => {
		const { simulator, manager } = await fleet(bot, { totalShards: 6, shardList: '0-2,4,5', shardsPerWorker: 3 });
		expect(manager.workers.map(({ shardIds }) => shardIds)).toEqual([
			[0, 1, 2],
			[4, 5],
		]);
		expect(simulator.violations({ hardOnly: true })).toEqual([]);
		expect(simulator.log.entries({ type: 'identify' })).toHaveLength(5);
		expect(simulator.state().sessions.map(({ shard }) => shard)).toEqual([0, 1, 2, 4, 5].map((id) => [id, 6]));

		const owned = [...simulator.world.guilds.ids()].filter((id) => manager.shardIdForGuild(id) !== 3).length;
		await waitFor('the figures of every guild', async () => {
			const stats = await manager.getShardStats({ fresh: true });
			return stats.reduce((sum, shard) => sum + shard.guildCount, 0) === owned;
		});
		const members = (await manager.getShardStats()).reduce((sum, shard) => sum + shard.userCount, 0);
		expect(members).toBeGreaterThan(owned);
	});

	it('replies to a message through REST, runs scripts, and logs out when it is stopped', async () => {
		const { simulator, manager } = await fleet(bot, { totalShards: 2, shardsPerWorker: 2 });
		simulator.emit('MESSAGE_CREATE', { content: '!ping' });
		const answered = () =>
			simulator.log.entries({ type: 'rest' }).some(({ method, path, status }) => {
				return method === 'POST' && String(path).endsWith('/messages') && status === 200;
			});
		await waitFor('the answer', answered);
		expect(await manager.broadcastEval('typeof client')).toEqual(['object']);
		await manager.stop();
		await waitFor('the end of its connection', () => simulator.state().connections === 0);
	});

	it('waits for a slot again when Discord ends its sessions, and keeps the rate limit', async () => {
		const { simulator, manager } = await fleet(bot, { totalShards: 4, shardsPerWorker: 2 });
		simulator.faults.invalidate({ resumable: false });
		await waitFor(
			'every shard to identify again',
			() =>
				simulator.log.entries({ type: 'identify' }).length >= 8 && manager.workers.every(({ child }) => child.state === 'ready'),
			{ timeoutMs: 40_000 },
		);
		expect(simulator.violations({ hardOnly: true })).toEqual([]);
	});
});
