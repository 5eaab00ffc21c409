// A bot on discord.py on two nodes: a node that is stopped hands its sessions over as with any bot.
import { randomUUID } from 'node:crypto';
import { processesWithEnv } from '@shardctl/test-support';
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
		// Settings of shardctl do not reach a program, nor does the mark of the sandbox.
		const id = randomUUID();
		const a = await fleet.launch('a', [], { env: { PROGRAMS_OF: id } });
		await a.run.message(/^fleet ready/);
		expect(processesWithEnv('PROGRAMS_OF', id).length).toBeGreaterThan(2);
		await fleet.start('b');
		await fleet.whole();
		const stop = fleet.talk(100);
		process.kill(a.run.pid, 'SIGTERM');
		expect(await a.run.exit).toBe(0);
		await fleet.served();
		stop();
		await fleet.verdict({ identifies: 2 });
		expect(processesWithEnv('PROGRAMS_OF', id)).toEqual([]);
	});
});
