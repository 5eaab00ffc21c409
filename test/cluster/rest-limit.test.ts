// Discord's limit of 50 requests a second, which three nodes share: their workers send as fast as they are answered, and the simulator judges.
import { fileURLToPath } from 'node:url';
import { waitFor } from '@shardctl/test-support';
import { expect, it, onTestFinished } from 'vitest';
import { describeWithRedis } from '../../packages/cluster/test/support/redis-server.js';
import { clusterFleet } from './cluster-fleet.js';

const bot = fileURLToPath(new URL('fixtures/firing-bot.mjs', import.meta.url));

describeWithRedis('the REST limit of a fleet of several nodes', () => {
	it('is kept by all nodes together, also while Redis is away', async () => {
		const fleet = await clusterFleet({
			shards: 3,
			bot,
			lease: '6s',
			simulator: { rest: { globalPerSecond: 50, buckets: false } },
		});
		const nodes = await fleet.startAll(['a', 'b', 'c'], ['--capacity', '1']);
		const requests = () =>
			fleet.simulator.log.entries({ type: 'rest' }).filter(({ path }) => String(path).endsWith('/users/@me'));
		const more = async (count: number) => {
			const before = requests().length;
			await waitFor(`${count} more requests`, () => requests().length >= before + count);
		};
		// No worker sends before every manager has asked Discord what it needs.
		const stop = fleet.talk(10);
		await more(250);
		fleet.redis.kill('SIGSTOP');
		onTestFinished(() => fleet.redis.kill('SIGCONT'));
		// What was lent ends, and each node continues with its share.
		await more(400);
		fleet.redis.kill('SIGCONT');
		await more(250);
		stop();

		expect(requests().filter(({ status }) => status === 429)).toEqual([]);
		for (const node of Object.values(nodes)) {
			const { rest } = await node.json<{ rest: { requests: number; limited: number } }>('stats');
			expect(rest.requests).toBeGreaterThan(100);
			expect(rest.limited).toBe(0);
		}
	});
});
