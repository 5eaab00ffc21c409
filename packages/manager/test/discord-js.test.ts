// What a discord.js bot sees of its sharding manager, on the oldest and the newest tested version, unmodified.
import { join } from 'node:path';
import { createSimulator } from '@shardctl/simulator';
import { isAlive, tempDir, waitFor } from '@shardctl/test-support';
import { pino } from 'pino';
import { rolldown } from 'rolldown';
import { describe, expect, it, onTestFinished } from 'vitest';
import { fixture, makeFleet, startFleet } from './fleet.js';

// Scripts are sent as text, so this declares the globals they find in a worker.
type Client = import('discord.js').Client<true> & { discordJs: typeof import('discord.js'); heard: unknown[] };

describe.each(['discord.js', 'discord.js-14.14'])('%s', (library) => {
	const start = (options: Parameters<typeof startFleet>[1] = {}) =>
		startFleet('discord-bot.cjs', { env: { DISCORD_JS: library }, ...options });

	it('has its shards, its total and a client.shard of its own class', async () => {
		const { manager, simulator } = await start({ totalShards: 3, shardsPerWorker: 2 });
		const facts = await manager.broadcastEval((client: Client) => ({
			ids: client.shard?.ids,
			count: client.shard?.count,
			mode: client.shard?.mode,
			parentPort: client.shard?.parentPort,
			isItsClass: client.shard instanceof client.discordJs.ShardClientUtil,
			isOfTheClient: client.shard?.client === client,
			again: client.discordJs.ShardClientUtil.singleton(client, 'process') === client.shard,
			shardOfGuild: client.discordJs.ShardClientUtil.shardIdForGuildId('81384788765712384', 3),
			env: [process.env.SHARDING_MANAGER, process.env.SHARDING_MANAGER_MODE, process.env.SHARDS, process.env.SHARD_COUNT],
			token: client.token === process.env.DISCORD_TOKEN,
			version: client.discordJs.version,
		}));
		const expected = { count: 3, mode: 'process', parentPort: null, isItsClass: true, isOfTheClient: true, again: true };
		expect(facts).toMatchObject([
			{ ...expected, ids: [0, 1], env: ['true', 'process', '[0,1]', '3'], token: true },
			{ ...expected, ids: [2], env: ['true', 'process', '2', '3'], token: true },
		]);
		expect(facts[0]?.shardOfGuild).toBe(manager.shardIdForGuild('81384788765712384'));
		expect(facts[0]?.version).toMatch(library.endsWith('14.14') ? /^14\.14/ : /^14\.28/);
		expect(simulator.violations({ hardOnly: true })).toEqual([]);
		// One request of the manager serves all: a starting fleet is not rate limited for asking.
		const asked = simulator.log.entries({ type: 'rest' }).filter(({ path }) => String(path).endsWith('/gateway/bot'));
		expect(asked).toHaveLength(1);
	});

	it('calls the fleet through client.shard: all, one, with context, and by a path', async () => {
		const { manager } = await start({ totalShards: 3 });
		const asked = await manager.broadcastEval(
			async ({ shard }: Client) => {
				if (!shard) throw new Error('no shard');
				return {
					all: await shard.broadcastEval((c) => c.shard?.ids),
					one: await shard.broadcastEval((c) => c.shard?.ids, { shard: 2 }),
					context: await shard.broadcastEval((_, { add }) => 1 + add, { context: { add: 2 } }),
					asynchronous: await shard.broadcastEval(async (c) => c.isReady()),
					values: await shard.fetchClientValues('options.shardCount'),
					value: await shard.fetchClientValues('shard.ids', 2),
					number: await shard.broadcastEval('this.shard.ids[0]' as never, 1 as never),
					refused: await Promise.all(
						[{ shard: '1' }, { shard: null }, { shard: 1.5 }, { guildId: null }, null].map((target) =>
							shard.broadcastEval(() => 1, target as never).catch((error: { code: string }) => error.code),
						),
					),
					sent: await shard.send({ from: 'a bot' }),
					unknown: await shard.broadcastEval(() => 1, { shard: 9 }).catch((error: { code: string }) => error.code),
					noScript: await shard.broadcastEval(5 as never).catch((error: Error) => error instanceof Error),
				};
			},
			{ shard: 1 },
		);
		expect(asked).toEqual({
			all: [[0], [1], [2]],
			one: [2],
			context: [3, 3, 3],
			asynchronous: [true, true, true],
			values: [3, 3, 3],
			value: [2],
			number: 1,
			refused: ['SHARD_NOT_OWNED', 'SHARD_NOT_OWNED', 'SHARD_NOT_OWNED', 'OPTIONS_INVALID', 'OPTIONS_INVALID'],
			sent: undefined,
			unknown: 'SHARD_NOT_OWNED',
			noScript: true,
		});
	});

	it('sends what its classes return as plain data: a guild arrives as its toJSON', async () => {
		const { manager } = await start({ totalShards: 1 });
		const [guilds] = await manager.broadcastEval((client: Client) => client.guilds.cache.toJSON().slice(0, 2));
		expect(guilds).toHaveLength(2);
		expect(guilds?.[0]).toMatchObject({ id: expect.any(String), name: expect.any(String), channels: expect.any(Array) });
		const [cache] = await manager.fetchClientValues('guilds.cache');
		expect(cache).toHaveLength(12);
	});

	it('receives manager.send and sends through client.shard.send, unchanged', async () => {
		const { manager } = await start({ totalShards: 1 });
		const heard = new Promise((resolve) => manager.once('message', resolve));
		await manager.broadcastEval((client: Client) => client.shard?.send({ _ready: true, _eval: 'x', own: [1n].length }));
		expect(await heard).toEqual({ workerId: 0, shardIds: [0], message: { _ready: true, _eval: 'x', own: 1 } });
		await manager.send(0, { hello: 'bot' });
		expect(await manager.fetchClientValues('heard', 0)).toEqual([{ hello: 'bot' }]);
	});

	it('replaces the whole fleet by client.shard.respawnAll, which resolves when it has begun', async () => {
		const { manager } = await start({ totalShards: 2, simulator: { identifyWindowMs: 300 }, identifyWindowMs: 300 });
		const before = manager.workers.map(({ child }) => child.pid);
		const seen: string[] = [];
		manager.on('worker:exited', ({ workerId }) => seen.push(`${workerId} exited`));
		manager.on('worker:ready', ({ workerId }) => seen.push(`${workerId} ready`));
		const asked = (client: Client) => client.shard?.respawnAll({ shardDelay: 10, respawnDelay: 0, timeout: 30_000 });
		expect(await manager.broadcastEval(asked, { shard: 0 })).toBeUndefined();
		await waitFor('every worker to be replaced', () => seen.length === 4);
		expect(seen).toEqual(['0 exited', '0 ready', '1 exited', '1 ready']);
		expect(manager.workers.every(({ child }, index) => child.pid !== before[index])).toBe(true);
		expect(before.some((pid) => isAlive(pid as number))).toBe(false);
	});
});

describe('a discord.js bot', () => {
	it.each([{ shards: 'auto' }, { shards: [0], shardCount: 1 }, { shards: [0, 1, 2, 3], shardCount: 4 }])(
		'that sets shards itself (%o) runs the shards of its worker, once, and gets a warning',
		async (clientOptions) => {
			const { manager, simulator, lines } = await startFleet('discord-bot.cjs', {
				totalShards: 4,
				shardsPerWorker: 2,
				env: { CLIENT_OPTIONS: JSON.stringify(clientOptions) },
			});
			expect(await manager.fetchClientValues('shard.ids')).toEqual([
				[0, 1],
				[2, 3],
			]);
			expect(simulator.state().sessions.map(({ shard }) => shard)).toEqual([0, 1, 2, 3].map((id) => [id, 4]));
			expect(lines.join('\n')).toContain('Remove "shards" and "shardCount" from the client\'s options');
		},
	);

	it('that loads discord.js late, as a module, is still detected', async () => {
		const { manager, simulator } = await startFleet('late-discord-bot.mjs');
		expect(await manager.fetchClientValues('shard.ids')).toEqual([[0], [1]]);
		expect(simulator.violations({ hardOnly: true })).toEqual([]);
	});

	it('with a second client, of another bot, keeps both separate', async () => {
		const other = await createSimulator({ guilds: 3 });
		onTestFinished(() => other.stop());
		const { manager, simulator } = await startFleet('two-clients.cjs', {
			totalShards: 2,
			shardsPerWorker: 2,
			env: { OTHER_API: other.url, OTHER_TOKEN: other.token },
		});
		await waitFor('the other bot', () => other.state().sessions[0]?.connected);
		// discord.js uses the fleet's count for a count of 1, as it does under its own manager.
		expect(other.state().sessions.map(({ shard }) => shard)).toEqual([[0, 2]]);
		expect(simulator.state().sessions.map(({ shard }) => shard)).toEqual([
			[0, 2],
			[1, 2],
		]);
		expect(await manager.fetchClientValues('sameShard')).toEqual([true]);
		const guilds = await manager.getShardStats({ fresh: true });
		expect(guilds.reduce((sum, { guildCount }) => sum + guildCount, 0)).toBe(12);
		// Its connects and disconnects are not the fleet's.
		other.faults.invalidate();
		await waitFor('the other bot to come back', () => other.log.entries({ type: 'identify' }).length === 2);
		expect(manager.workers.map(({ child }) => child.state)).toEqual(['ready']);
		await manager.stop();
		expect(other.state().connections).toBe(0);
	});

	it('that was bundled with its discord.js is asked to attach() it, and then runs as any other', async () => {
		const dir = tempDir();
		const bundle = await rolldown({
			input: fixture('bundled-bot.mjs'),
			platform: 'node',
			external: ['zlib-sync', 'bufferutil', 'utf-8-validate', '@shardctl/worker'],
			onLog: () => {},
		});
		// The bundle resolves the fixture's dependencies only from this path.
		const paths = { '@shardctl/worker': import.meta.resolve('@shardctl/worker') };
		await bundle.write({ file: join(dir, 'bot.mjs'), format: 'esm', codeSplitting: false, paths });
		await bundle.close();

		const warnings: string[] = [];
		const logger = pino({ level: 'warn' }, { write: (line) => void warnings.push(line) });
		const alone = await makeFleet(join(dir, 'bot.mjs'), { totalShards: 1, logger });
		void alone.manager.spawn().catch(() => {});
		await waitFor('the warning', () => warnings.some((line) => line.includes('call attach(client) from shardctl/worker')));

		const { manager, simulator } = await startFleet(join(dir, 'bot.mjs'), {
			totalShards: 4,
			shardsPerWorker: 2,
			env: { ATTACH: '1' },
		});
		expect(await manager.fetchClientValues('options.shards')).toEqual([
			[0, 1],
			[2, 3],
		]);
		expect(await manager.broadcastEval('client.shard.fetchClientValues("guilds.cache.size")')).toHaveLength(2);
		expect(simulator.violations({ hardOnly: true })).toEqual([]);
	});

	it('that starts processes and threads has no further workers in them', async () => {
		const { manager } = await startFleet('starts-others.cjs', { totalShards: 1 });
		const answers = (await manager.fetchClientValues('answers', 0)) as { from: string; sharded: boolean }[];
		expect(answers.toSorted((a, b) => a.from.localeCompare(b.from))).toEqual([
			{ from: 'child', sharded: false, brief: undefined },
			{ from: 'thread', sharded: false, brief: undefined },
		]);
	});

	it('that has nothing left to do exits, as it does without a manager', async () => {
		const { manager, lines } = await makeFleet('ends-by-itself.cjs', { totalShards: 1, respawn: false });
		await expect(manager.spawn()).rejects.toMatchObject({ code: 'WORKERS_FAILED' });
		expect(lines).toContain('0 nothing left to do');
	});

	it('that cleans up on SIGTERM does so on a stop, and exits by itself within the grace', async () => {
		const { manager, simulator, lines } = await startFleet('own-sigterm.cjs', { totalShards: 1, shutdownGraceMs: 30_000 });
		const exited = new Promise<{ report: { code: number | null; signal: string | null } }>((resolve) =>
			manager.once('worker:exited', resolve),
		);
		await manager.stop();
		expect((await exited).report).toMatchObject({ code: 0, signal: null });
		expect(lines).toContain('0 saved everything');
		expect(simulator.state().connections).toBe(0);
	});

	it('logs out without reports of lost connections when it is stopped', async () => {
		const { manager } = await startFleet('discord-bot.cjs', { totalShards: 2 });
		const events: string[] = [];
		manager.on('shard:reconnecting', ({ shardId }) => events.push(`reconnecting ${shardId}`));
		manager.on('shard:disconnected', ({ shardId }) => events.push(`disconnected ${shardId}`));
		await manager.stop();
		expect(events).toEqual([]);
	});
});
