// What an operator does with three nodes: replaces them one after the other, and adds one. With the default lease.
import { waitFor } from '@shardctl/test-support';
import { expect, it } from 'vitest';
import { describeWithRedis } from '../../packages/cluster/test/support/redis-server.js';
import { type ClusterNodeRun, clusterFleet } from './cluster-fleet.js';

const shards = 6;
const exactlyOnce = { faults: [], lost: [], repeats: 0 };

describeWithRedis('three nodes', () => {
	it('are replaced one after the other by new processes without an IDENTIFY, each event exactly once, and share the sessions evenly then', async () => {
		const fleet = await clusterFleet({ shards, lease: '6s' });
		const nodes = await fleet.startAll(['a', 'b', 'c']);
		await fleet.whole();
		const stop = fleet.talk(200);
		await fleet.served();
		const next: ClusterNodeRun[] = [];
		for (const node of Object.values(nodes)) {
			node.kill('manager', 'SIGTERM');
			expect(await node.run.exit).toBe(0);
			expect(node.processes()).toEqual([]);
			next.push(await fleet.start(node.name));
			await fleet.served();
		}
		// The last one has joined without any.
		await waitFor('each node to have as many sessions', async () => {
			const counts = await Promise.all(next.map(async (node) => (await fleet.sessionsOf(node)).length));
			return counts.every((count) => count === shards / 3);
		});
		await fleet.served();
		stop();
		expect(await fleet.verdict({ identifies: shards })).toMatchObject(exactlyOnce);
		await fleet.whole();
	});
});
