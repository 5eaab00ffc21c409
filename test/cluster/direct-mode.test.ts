// A cluster in direct mode: workers hold the sessions, so a session that gets to another node starts there with an IDENTIFY. No shard is
// ever run by two nodes.
import { isAlive, waitFor } from '@shardctl/test-support';
import { expect, it } from 'vitest';
import { describeWithRedis } from '../../packages/cluster/test/support/redis-server.js';
import { type ClusterFleet, clusterFleet } from './cluster-fleet.js';
import { judge } from './witness.js';

const leaseMs = 6000;
const shards = 4;

async function twoNodes() {
	const fleet = await clusterFleet({ shards, lease: `${leaseMs}ms`, direct: true });
	const { a, b } = await fleet.startAll(['a', 'b']);
	await fleet.whole();
	const stop = fleet.talk(100);
	await fleet.served();
	return { fleet, a, b, stop };
}

/** Events are lost between two sessions; that is no fault here. */
const twoOwners = (fleet: ClusterFleet) => judge(fleet.handled(), new Map()).faults.filter((fault) => fault.includes('I1'));
const identifies = (fleet: ClusterFleet) => fleet.simulator.log.entries({ type: 'identify' }).length;

describeWithRedis('a cluster in direct mode', () => {
	it('starts the shards of a killed node, and of one that is stopped, on another one, and says that it costs an IDENTIFY', async () => {
		const { fleet, a, b, stop } = await twoNodes();
		expect(a.times(/starts there with an IDENTIFY, and nothing is moved/)).toBe(1);
		a.kill('everything');
		await fleet.servedBy(b);
		expect(identifies(fleet)).toBe(shards + shards / 2);
		const c = await fleet.start('c');
		b.kill('manager', 'SIGTERM');
		expect(await b.run.exit).toBe(0);
		expect(b.times(/^the 4 sessions start on other nodes with an IDENTIFY each, because the workers hold them/)).toBe(1);
		expect(b.processes()).toEqual([]);
		await fleet.servedBy(c);
		stop();
		expect(twoOwners(fleet)).toEqual([]);
		fleet.expectIdentifies(shards + shards / 2 + shards);
	});

	it('(12) ends the workers of a node that is cut off from Redis before another node starts their shards', async () => {
		const { fleet, a, b, stop } = await twoNodes();
		a.toRedis.set({ lose: ['requests', 'answers'], refuse: true });
		await fleet.servedBy(b);
		a.toRedis.heal();
		await waitFor('the node to be back', () => a.times(/^the lease of this node is confirmed again/) > 0);
		await fleet.served();
		stop();
		expect(twoOwners(fleet)).toEqual([]);
		fleet.expectIdentifies(shards + shards / 2);
	});

	it('(4) a worker whose manager is stopped ends itself before another node starts its shards', async () => {
		const { fleet, a, b, stop } = await twoNodes();
		const workers = new Set(
			fleet
				.handled()
				.filter(({ node }) => node === 'a')
				.map(({ pid }) => pid),
		);
		expect(workers.size).toBe(shards / 2);
		a.kill('manager', 'SIGSTOP');
		await fleet.servedBy(b);
		expect([...workers].filter(isAlive)).toEqual([]);
		a.kill('manager', 'SIGCONT');
		await waitFor('the node to be back', () => a.times(/^the lease of this node is confirmed again/) > 0);
		await fleet.served();
		stop();
		expect(twoOwners(fleet)).toEqual([]);
		fleet.expectIdentifies(shards + shards / 2);
	});
});
