// A bot on discord.py on two nodes: a node that is stopped hands its sessions over as with any bot.
import { expect, it } from 'vitest';
import { describeWithRedis } from '../../packages/cluster/test/support/redis-server.js';
import { clusterFleet } from '../cluster/cluster-fleet.js';
import { fixture, python } from './python.js';

describeWithRedis('a bot on discord.py on several nodes', () => {
	it.skipIf(python === undefined)('moves to the other node when one is stopped, each event exactly once', async () => {
		const fleet = await clusterFleet({
			shards: 2,
			bot: fixture('counting_bot.py'),
			args: ['--interpreter', python as string],
			lease: '6s',
		});
		const a = await fleet.start('a');
		const b = await fleet.start('b');
		await fleet.whole();
		const stop = fleet.talk(100);
		process.kill(a.run.pid, 'SIGTERM');
		expect(await a.run.exit).toBe(0);
		await fleet.servedBy(b);
		stop();
		await fleet.verdict({ identifies: 2 });
		expect(a.processes()).toEqual([]);
	});
});
