// A start that takes longer under Discord's identify rate limit than a library waits for READY: no worker gives up and reconnects.
import { expect, it } from 'vitest';
import { fixture, makeFleet } from './fleet.js';

it("starts the shards of one worker within Discord's rate limit without a reconnect, however impatient its library is", async () => {
	const { manager, simulator, story } = await makeFleet({
		file: fixture('impatient-bot.mjs'),
		simulator: { shards: 4, maxConcurrency: 1, identifyWindowMs: 2000 },
		manager: { gateway: 'resident', shardsPerWorker: 4, totalShards: 4, identifyWindowMs: 2000 },
	});
	const reconnecting: number[] = [];
	manager.on('shard:reconnecting', ({ shardId }) => reconnecting.push(shardId));
	await manager.spawn();
	expect(reconnecting).toEqual([]);
	expect(story.filter((line) => /reconnect|disconnect|refused/.test(line))).toEqual([]);
	expect(simulator.log.entries({ type: 'identify' })).toHaveLength(4);
	expect(simulator.violations({ hardOnly: true })).toEqual([]);
	const [gateway] = (await manager.getStats()).gateways ?? [];
	expect(gateway?.shards.map(({ workerIdentifies }) => workerIdentifies)).toEqual([1, 1, 1, 1]);
});
