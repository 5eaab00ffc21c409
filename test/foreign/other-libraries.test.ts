// The libraries that descend from discord.py, each from a folder of its own: no package manager of a system has them.
//
//   SHARDCTL_TEST_PYTHON_LIBRARIES=/path/to/nextcord:/path/to/disnake vitest run test/foreign/other-libraries.test.ts
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { waitFor } from '@shardctl/test-support';
import { describe, expect, it } from 'vitest';
import { expectExactlyOnceInOrder, type ResidentFleet, startResidentFleet } from '../faults/resident-fleet.js';
import { expectAnsweredOnce, fixture, pythonWith } from './python.js';

const folders = (process.env.SHARDCTL_TEST_PYTHON_LIBRARIES ?? '').split(delimiter).filter(Boolean);
const names = ['nextcord', 'disnake', 'discord'];
const libraries = folders.map((folder) => {
	const name = names.find((module) => existsSync(join(folder, module, '__init__.py')));
	if (name === undefined) throw new Error(`${folder} has none of ${names.join(', ')}`);
	return { folder, name, python: pythonWith(name, folder) };
});
if (libraries.length === 0) {
	console.error('NOTICE: SHARDCTL_TEST_PYTHON_LIBRARIES names no folders, so py-cord, nextcord and disnake are not tested.');
}

function useCommand({ simulator }: ResidentFleet, guildId: string): void {
	simulator.emit('INTERACTION_CREATE', { name: 'count' }, { guildId });
}

it.skipIf(libraries.length === 0)('SHARDCTL_TEST_PYTHON_LIBRARIES names libraries', () => {
	expect(new Set(libraries.map(({ folder }) => folder)).size).toBe(libraries.length);
});

describe.each(libraries)('a bot on $name of $folder', ({ folder, name, python }) => {
	const start = (env: Record<string, string>, shardsPerWorker: number) =>
		startResidentFleet({
			bot: fixture('counting_bot.py'),
			shards: 4,
			guilds: 40,
			manager: {
				interpreter: python,
				shutdownGraceMs: 20_000,
				shardsPerWorker,
				env: { LIBRARY: name, PYTHONPATH: folder, ...env },
			},
		});

	it.each([
		['AutoShardedBot', 2, {}],
		['Bot', 1, { SINGLE: '1' }],
	] as const)('%s gets its shards, answers commands and is deployed, each event exactly once', async (_, perWorker, env) => {
		const fleet = await start(env, perWorker);
		expect(fleet.manager.workers[0]?.library).toMatch(/^(?:py-cord|nextcord|disnake|discord\.py) \d/);
		const stopTalking = fleet.keepTalking(100);
		const guildIds = [...fleet.simulator.world.guilds.ids({ id: 0, count: 1 })];
		for (let round = 0; round < 2; round++) {
			// nextcord drops a command that is used before it has asked Discord for its own.
			if (name !== 'nextcord') for (const guildId of guildIds) useCommand(fleet, guildId);
			await fleet.manager.deploy({ observeMs: 0 });
		}
		fleet.version('syntax-error');
		await expect(fleet.manager.deploy({ observeMs: 0 })).rejects.toMatchObject({
			code: 'WORKER_NOT_READY',
			message: expect.stringContaining('SyntaxError: invalid syntax, at '),
		});
		stopTalking();
		expectExactlyOnceInOrder(await fleet.handledAll());
		if (name !== 'nextcord') await expectAnsweredOnce(fleet.simulator);
		const { answered } = fleet.simulator.state().interactions;
		await waitFor('the answer to a command', () => {
			useCommand(fleet, guildIds[0] as string);
			return fleet.simulator.state().interactions.answered > answered;
		});
		await expect(fleet.manager.broadcastEval('1', { shard: 0 })).rejects.toMatchObject({ code: 'NOT_NODE' });
		const [stats] = await fleet.manager.getShardStats({ fresh: true });
		expect(stats?.ping).toBeGreaterThanOrEqual(0);
		fleet.expectNoIdentifySinceStart();
		await fleet.stop();
	});

	it('lets the handlers that run finish before it ends', async () => {
		const fleet = await start({ SLOW: '0.5' }, 2);
		const stopTalking = fleet.keepTalking(100);
		await fleet.manager.deploy({ observeMs: 0 });
		stopTalking();
		const handled = await fleet.handledAll();
		expect(handled).toHaveLength(fleet.sent);
		await fleet.stop();
	});
});
