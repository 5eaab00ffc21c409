import { waitFor } from '@shardctl/test-support';
import { expect, it } from 'vitest';
import { Sampler } from './sampler.js';

const busyFor = (ms: number) => {
	const end = performance.now() + ms;
	while (performance.now() < end);
};

it('measures the process, over the time since the last sample', async () => {
	const shards = [{ shardId: 0, guildCount: 2, userCount: 3, ping: 4 }];
	const sampler = new Sampler(() => shards);
	busyFor(60);
	const busy = sampler.take();
	expect(busy.shards).toBe(shards);
	expect(busy.rssBytes).toBeGreaterThan(busy.heapUsedBytes);
	expect(busy.heapUsedBytes).toBeGreaterThan(1e6);
	expect(busy.cpuPercent).toBeGreaterThan(0);
	expect(busy.uptimeMs).toBeGreaterThan(0);
	busyFor(20);
	expect(sampler.take().cpuSeconds).toBeGreaterThan(busy.cpuSeconds);
	sampler.stop();
});

it('shows a blocked event loop in the delay', async () => {
	const sampler = new Sampler(() => []);
	// Delays are measured between two probes, and there is one every 200 ms: the block needs one before and one after it.
	const worst = await waitFor('a delay to be seen', async () => {
		await new Promise((resolve) => setTimeout(resolve, 450));
		busyFor(400);
		await new Promise((resolve) => setTimeout(resolve, 450));
		const { loopDelayP99Ms } = sampler.take();
		return loopDelayP99Ms > 100 ? loopDelayP99Ms : undefined;
	});
	expect(worst).toBeLessThan(5000);
	sampler.stop();
});
