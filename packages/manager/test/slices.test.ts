// Which worker runs which shards, for every way to configure it; and the figures of workers.
import { waitFor } from '@shardctl/test-support';
import { describe, expect, it } from 'vitest';
import { startFleet } from './fleet.js';

describe('slices', () => {
	it.each([
		{ totalShards: 'auto' as const, slices: [[0], [1], [2], [3], [4]] },
		{ totalShards: 'auto' as const, shardsPerWorker: 2, slices: [[0, 1], [2, 3], [4]] },
		{
			totalShards: 7,
			shardsPerWorker: 3,
			slices: [
				[0, 1, 2],
				[3, 4],
				[5, 6],
			],
		},
		{ totalShards: 4, shardsPerWorker: 9, slices: [[0, 1, 2, 3]] },
		{
			totalShards: 16,
			shardList: '3,5-6,15',
			shardsPerWorker: 2,
			slices: [
				[3, 5],
				[6, 15],
			],
		},
		{ totalShards: 16, shardList: [15, 3], slices: [[3], [15]] },
		{ totalShards: 'auto' as const, shardList: '2-4', shardsPerWorker: 'auto' as const, slices: undefined },
	])('$totalShards shards, list $shardList, $shardsPerWorker per worker', async ({ slices, ...options }) => {
		const { manager } = await startFleet('quick-bot.mjs', { ...options, simulator: { shards: 5 } });
		const expected = slices ?? manager.workers.map(({ shardIds }) => [...shardIds]);
		expect(expected.flat()).toEqual((await manager.getShardStats()).map(({ shardId }) => shardId));
		expect(await manager.broadcastEval((client: { shardIds: number[] }) => client.shardIds)).toEqual(expected);
		const total = options.totalShards === 'auto' ? 5 : options.totalShards;
		expect(await manager.broadcastEval(() => process.env.SHARD_COUNT)).toEqual(expected.map(() => String(total)));
	});
});

describe('figures', () => {
	it('are pushed, one entry per shard, each with its part of the memory', async () => {
		const { manager } = await startFleet('quick-bot.mjs', { totalShards: 3, shardsPerWorker: 2 });
		const stats = await waitFor('the first samples', async () => {
			const entries = await manager.getShardStats();
			return entries.every(({ memoryMb }) => memoryMb !== null) ? entries : undefined;
		});
		expect(stats).toMatchObject(
			[0, 1, 2].map((shardId) => ({
				shardId,
				workerId: shardId === 2 ? 1 : 0,
				pid: expect.any(Number),
				status: 'ready',
				ready: true,
				guildCount: 1,
				userCount: 10,
				ping: 5,
				cpuPercent: expect.any(Number),
				restarts: 0,
				lastExit: null,
			})),
		);
		expect((stats[2]?.memoryMb as number) / (stats[0]?.memoryMb as number)).toBeGreaterThan(1.5);
	});

	it('are requested now with fresh, also when they are pushed only at the start', async () => {
		const { manager } = await startFleet('quick-bot.mjs', { totalShards: 1, statsIntervalMs: 0 });
		await manager.broadcastEval('globalThis.ballast = Buffer.alloc(64 * 2 ** 20, 1); 0');
		const [stale] = await manager.getShardStats();
		const [fresh] = await manager.getShardStats({ fresh: true });
		expect((fresh?.memoryMb as number) - (stale?.memoryMb as number)).toBeGreaterThan(50);
	});

	it('show a restart and how the last process ended', async () => {
		const { manager } = await startFleet('quick-bot.mjs', { totalShards: 1 });
		await manager.call('exit', [3], { settle: true });
		await waitFor('the restart', async () => (await manager.getShardStats())[0]?.restarts === 1);
		await waitFor('its readiness', async () => (await manager.getShardStats())[0]?.ready);
		expect((await manager.getShardStats())[0]).toMatchObject({
			restarts: 1,
			lastExit: { reason: 'exit-code', at: expect.any(Number) },
		});
	});
});
