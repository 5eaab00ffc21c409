// Unmodified bots on discord.py as fleets: shards, figures, crashes, hangs, deploys, against the strict simulator.
import { once } from 'node:events';
import { waitFor } from '@shardctl/test-support';
import { describe, expect, it } from 'vitest';
import { expectExactlyOnceInOrder, type ResidentSetup, startResidentFleet } from '../faults/resident-fleet.js';
import { expectAnsweredOnce, fixture, python } from './python.js';

const start = ({ manager, ...setup }: ResidentSetup) =>
	startResidentFleet({
		bot: fixture('counting_bot.py'),
		...setup,
		manager: { interpreter: python as string, shutdownGraceMs: 20_000, ...manager },
	});

describe.skipIf(python === undefined)('a bot on discord.py', () => {
	it.each([
		['AutoShardedBot', 1, {}],
		['AutoShardedBot', 2, {}],
		['Bot', 1, { SINGLE: '1' }],
	] as const)('%s gets the shards of its worker, %d at a time, and its figures are shown', async (_, shardsPerWorker, env) => {
		const fleet = await start({ shards: 4, guilds: 40, manager: { shardsPerWorker, env } });
		for (let index = 0; index < 80; index++) fleet.say(index);
		expectExactlyOnceInOrder(await fleet.handledAll());
		const stats = await fleet.manager.getShardStats({ fresh: true });
		const guilds = [...fleet.simulator.world.guilds.ids({ id: 0, count: 1 })].length;
		expect(stats.map(({ shardId, ready }) => [shardId, ready])).toEqual([0, 1, 2, 3].map((id) => [id, true]));
		expect(stats.reduce((sum, { guildCount }) => sum + guildCount, 0)).toBe(guilds);
		for (const { userCount, memoryMb, cpuPercent, ping, loopDelayMs } of stats) {
			expect(userCount).toBeGreaterThanOrEqual(20);
			expect(memoryMb).toBeGreaterThan(5);
			expect(cpuPercent).toBeGreaterThanOrEqual(0);
			expect(ping).toBeGreaterThanOrEqual(0);
			expect(loopDelayMs).toBeNull();
		}
		expect(fleet.manager.workers.map(({ library }) => library)).toEqual(
			fleet.manager.workers.map(() => expect.stringMatching(/^discord\.py 2\./)),
		);
		fleet.expectNoIdentifySinceStart();
		await fleet.stop();
	});

	it('a killed worker is replaced and continues without an IDENTIFY to Discord', async () => {
		const fleet = await start({ shards: 2, guilds: 10, manager: { gateway: { mode: 'resident', delivery: 'at-least-once' } } });
		const before = fleet.pidOf(0);
		process.kill(before, 'SIGKILL');
		for (let index = 0; index < 50; index++) fleet.say(index);
		await waitFor('a new process', () => fleet.manager.workers[0]?.child.state === 'ready' && fleet.pidOf(0) !== before);
		await fleet.handledAll();
		expect(await fleet.totals()).toMatchObject({ lost: 0 });
		fleet.expectNoIdentifySinceStart();
		await fleet.stop();
	});

	it('more workers with the new shards take over while the fleet runs', async () => {
		const gateway = { mode: 'resident', sessions: 2, delivery: 'at-least-once' } as const;
		const fleet = await start({ shards: 2, guilds: 20, manager: { totalShards: 2, shardsPerWorker: 2, gateway } });
		const stopTalking = fleet.keepTalking(50);
		expect(await fleet.manager.reshard({ shards: 4 })).toMatchObject({ shards: { from: 2, to: 4, workers: 2 } });
		stopTalking();
		expectExactlyOnceInOrder(await fleet.handledAll());
		expect(fleet.manager.workers.map(({ shardIds }) => shardIds)).toEqual([
			[0, 1],
			[2, 3],
		]);
		fleet.expectNoIdentifySinceStart();
		await fleet.stop();
	});

	it('a worker whose event loop is blocked is replaced as hung, while the other keeps serving', async () => {
		const fleet = await start({
			shards: 2,
			guilds: 2,
			manager: { heartbeatTimeoutMs: 3000, env: { BLOCK: '1' } },
		});
		const { workers } = fleet.manager;
		const exits = workers.map(
			({ child }) => new Promise<{ reason: string; pid: number | null }>((resolve) => child.once('exited', resolve)),
		);
		// Both have answered before: silence of a process that boots means nothing.
		await waitFor('answers', () => workers.every(({ child }) => child.lastAnswerAt !== null));
		fleet.say(0);
		const { reason, pid } = await Promise.race(exits);
		expect(reason).toBe('hung');
		await fleet.allReady();
		expect(workers.map(({ child }) => child.restarts).sort()).toEqual([0, 1]);
		expect(workers.map(({ child }) => child.pid)).not.toContain(pid);
		fleet.expectNoIdentifySinceStart();
		await fleet.stop();
	});

	it('a bot that has ended is not kept by a thread of its own until it is killed', async () => {
		const fleet = await start({ shards: 1, guilds: 2, manager: { env: { LINGER: '1' } } });
		const [worker] = fleet.manager.workers;
		await fleet.stop();
		expect(worker?.child.lastExit).toMatchObject({ signal: 'SIGTERM' });
	});

	it('lets the handlers that run finish before a replaced process ends', async () => {
		const fleet = await start({ shards: 1, guilds: 4, manager: { env: { SLOW: '0.5' } } });
		const stopTalking = fleet.keepTalking(50);
		await fleet.manager.deploy({ observeMs: 0 });
		stopTalking();
		expect(await fleet.handledAll()).toHaveLength(fleet.sent);
		await fleet.stop();
	});

	it('a bot with a single shard is refused several, and the reason is named', async () => {
		await expect(start({ shards: 2, guilds: 2, manager: { shardsPerWorker: 2, env: { SINGLE: '1' } } })).rejects.toMatchObject({
			code: 'BOT_FILE_INVALID',
			message: expect.stringContaining('Bot has a single shard, and this worker has the shards 0, 1'),
		});
	});

	it('calls that need JavaScript are refused with the reason', async () => {
		const fleet = await start({ shards: 1, guilds: 1 });
		const refused = { code: 'NOT_NODE', message: expect.stringContaining('is not a Node.js process') };
		await expect(fleet.manager.broadcastEval('1', { shard: 0 })).rejects.toMatchObject(refused);
		await expect(fleet.manager.fetchClientValues('guilds.cache.size', { shard: 0 })).rejects.toMatchObject(refused);
		await expect(fleet.manager.call('anything', [], { shard: 0 })).rejects.toMatchObject(refused);
		await expect(fleet.manager.send(0, 'hello')).rejects.toMatchObject(refused);
		await fleet.stop();
	});

	it('a poison event, a rolling restart and a crash loop end as for any bot, and requests go through the REST process', async () => {
		const fleet = await start({
			shards: 2,
			guilds: 2,
			manager: {
				respawn: { initialDelayMs: 1, maxDelayMs: 1, maxRestarts: 8 },
				gateway: { mode: 'resident', delivery: 'at-least-once' },
				env: { POISON: '3' },
			},
		});
		for (let number = 0; number < 5; number++) fleet.say(0);
		const numbers = () => new Set(fleet.handled().map(({ number }) => number));
		await waitFor('the events behind the poison to be handled', () => numbers().has(4) && numbers().has(5));
		expect(numbers()).toEqual(new Set([1, 2, 4, 5]));
		expect(await fleet.totals()).toMatchObject({ poisoned: 1, lost: 0 });
		await fleet.allReady();

		const before = [fleet.pidOf(0), fleet.pidOf(1)];
		await fleet.manager.respawnAll();
		const after = [fleet.pidOf(0), fleet.pidOf(1)];
		expect(after.filter((pid) => before.includes(pid))).toEqual([]);

		const guildIds = [...fleet.simulator.world.guilds.ids({ id: 0, count: 1 })];
		for (const guildId of guildIds) fleet.simulator.emit('INTERACTION_CREATE', { name: 'count' }, { guildId });
		await expectAnsweredOnce(fleet.simulator);
		expect((await fleet.manager.getStats()).rest?.requests).toBeGreaterThan(2);

		fleet.version('crash-at-boot');
		const failed = once(fleet.manager, 'worker:failed');
		const [, untouched] = after;
		// The worker of the guild that had the poison has used up some of its restarts.
		process.kill(after[0] as number, 'SIGKILL');
		expect(await failed).toMatchObject([{ reason: expect.stringContaining('RuntimeError: a version that crashes at boot') }]);
		expect(fleet.pidOf(1)).toBe(untouched);
		fleet.expectNoIdentifySinceStart();
		await fleet.stop();
	});

	it('ten deploys under 200 events a second handle every event exactly once, in order; a syntax error is rolled back', async () => {
		const fleet = await start({ shards: 4, guilds: 100, manager: { shardsPerWorker: 2 } });
		const stopTalking = fleet.keepTalking(200);
		const pids = new Set([fleet.pidOf(0), fleet.pidOf(1)]);
		const guildIds = [...fleet.simulator.world.guilds.ids({ id: 0, count: 1 })];
		for (let round = 1; round <= 10; round++) {
			// A command for each shard, while its worker is replaced.
			for (const guildId of guildIds.slice(0, 4)) fleet.simulator.emit('INTERACTION_CREATE', { name: 'count' }, { guildId });
			await fleet.manager.deploy({ observeMs: 0 });
			for (const id of [0, 1]) pids.add(fleet.pidOf(id));
		}
		fleet.version('syntax-error');
		await expect(fleet.manager.deploy({ observeMs: 0 })).rejects.toMatchObject({
			code: 'WORKER_NOT_READY',
			message: expect.stringContaining('SyntaxError: invalid syntax, at '),
		});
		stopTalking();
		const handled = await fleet.handledAll();
		expectExactlyOnceInOrder(handled);
		expect(pids.size).toBe(22);
		await expectAnsweredOnce(fleet.simulator);
		expect(await fleet.totals()).toMatchObject({ lost: 0, repeated: 0, overflowed: 0 });
		fleet.expectNoIdentifySinceStart();
		await fleet.stop();
	});
});
