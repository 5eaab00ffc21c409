import { isAlive, waitFor } from '@shardctl/test-support';
import { expect, it } from 'vitest';
import { describeWithRedis } from '../../packages/cluster/test/support/redis-server.js';
import { type ClusterNodeRun, clusterFleet } from './cluster-fleet.js';

/** Deaths of other nodes, as an operator reads of them. */
async function reported(node: ClusterNodeRun): Promise<{ name: string; sessions: number }[]> {
	const { stdout } = await node.cli('events', '--type', 'cluster:node-gone', '--json');
	return stdout
		.split('\n')
		.filter(Boolean)
		.map((line) => JSON.parse(line) as { name: string; sessions: number });
}

describeWithRedis('a fleet of several nodes', () => {
	it('(2) resumes every session elsewhere when everything of a node is killed', async () => {
		const fleet = await clusterFleet({ shards: 4 });
		const a = await fleet.start('a');
		await fleet.whole();
		const stop = fleet.talk(100);
		const b = await fleet.start('b');
		a.kill('everything');
		await fleet.servedBy(b);
		stop();
		expect((await fleet.handledAll()).length).toBeGreaterThan(0);
		await fleet.whole();
		expect(await reported(b)).toMatchObject([{ name: 'a' }]);
		fleet.expectIdentifies(4);
	});

	it('(1) resumes every session elsewhere, without waiting for a lease, when a manager is killed', async () => {
		const leaseMs = 15_000;
		const fleet = await clusterFleet({ shards: 4, lease: `${leaseMs}ms` });
		const b = await fleet.launch('b', ['--expect', '2']);
		const a = await fleet.start('a', ['--expect', '2', '--capacity', '3']);
		await fleet.whole();
		const stop = fleet.talk(100);
		const killedAt = Date.now();
		a.kill('manager');
		await fleet.servedBy(b);
		expect(Date.now() - killedAt).toBeLessThan(leaseMs);
		stop();
		expect(await reported(b)).toMatchObject([{ name: 'a', sessions: 2 }]);
		await fleet.handledAll();
		await waitFor('the processes of the node to end', () => a.processes().length === 0);
		fleet.expectIdentifies(4);
	});

	it('moves every session to other nodes when a node is stopped, each event exactly once', async () => {
		// A node whose lease ends meanwhile is replaced, which may repeat events.
		const fleet = await clusterFleet({ shards: 4, lease: '6s' });
		const a = await fleet.start('a');
		const b = await fleet.start('b');
		await fleet.whole();
		const stop = fleet.talk(200);
		process.kill(a.run.pid, 'SIGTERM');
		expect(await a.run.exit).toBe(0);
		await fleet.servedBy(b);
		stop();
		await fleet.verdict({ identifies: 4 });
		expect(a.processes()).toEqual([]);
		expect(isAlive(b.run.pid)).toBe(true);
		expect(await reported(b)).toEqual([]);
		fleet.expectIdentifies(4);
	});
});
