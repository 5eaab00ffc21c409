// A Redis with a replica, watched by a Sentinel, behind an address that follows the master: what a failover costs a fleet of two nodes.
import { waitFor } from '@shardctl/test-support';
import { expect, it, onTestFinished } from 'vitest';
import { connectTo, describeWithRedis, redisServer } from '../../packages/cluster/test/support/redis-server.js';
import { clusterFleet } from './cluster-fleet.js';

const shards = 4;
const master = 'shardctl';
const muted = /^the lease of this node is not confirmed/;

/** A replica of the fleet's Redis, and the Sentinel that promotes it. */
async function replicated(port: number) {
	const replica = await redisServer({ args: ['--replicaof', '127.0.0.1', String(port)] });
	onTestFinished(() => replica.close());
	const sentinel = await redisServer({
		sentinel: [
			`sentinel monitor ${master} 127.0.0.1 ${port} 1`,
			`sentinel down-after-milliseconds ${master} 1000`,
			`sentinel failover-timeout ${master} 5000`,
		],
	});
	onTestFinished(() => sentinel.close());
	const [asked, watching] = await Promise.all([connectTo(replica), connectTo(sentinel)]);
	onTestFinished(async () => {
		await Promise.all([asked.close(), watching.close()]);
	});
	await waitFor('the replica to have what the master has', async () => {
		const [info] = (await asked.batch([['INFO', 'replication']])) as [Buffer];
		return /master_link_status:up/.test(info.toString());
	});
	await waitFor('Sentinel to know the replica', async () => {
		const [replicas] = (await watching.batch([['SENTINEL', 'REPLICAS', master]])) as [unknown[]];
		return replicas.length === 1;
	});
	return {
		kill: () => replica.kill('SIGKILL'),
		/** Resolves with the port of the master that Sentinel has made of the replica. */
		async promoted(): Promise<number> {
			await waitFor('Sentinel to promote the replica', async () => {
				const [role] = (await asked.batch([['ROLE']])) as [Buffer[]];
				return role[0]?.toString() === 'master';
			});
			return replica.port;
		},
	};
}

describeWithRedis('a failover of Redis under a fleet', () => {
	it('(10) costs no RESUME, no IDENTIFY and no event, whether it is over within the lease or after it', async () => {
		const fleet = await clusterFleet({ shards, lease: '6s' });
		const { a, b } = await fleet.startAll(['a', 'b']);
		const nodes = [a, b];
		await fleet.whole();
		const stop = fleet.talk(100);
		await fleet.served();
		const resumes = () => fleet.simulator.log.entries({ type: 'resume' }).length;
		const before = resumes();

		const first = await replicated(fleet.redis.port);
		fleet.redis.kill('SIGKILL');
		const port = await first.promoted();
		for (const { toRedis } of nodes) toRedis.retarget(port);
		await fleet.served();

		const second = await replicated(port);
		// Nothing reaches the master until every lease is over.
		for (const { toRedis } of nodes) toRedis.set({ lose: ['requests', 'answers'], refuse: true });
		await waitFor('both nodes to be muted', () => nodes.every((node) => node.times(muted) > 0));
		first.kill();
		const next = await second.promoted();
		for (const { toRedis } of nodes) {
			toRedis.retarget(next);
			toRedis.heal();
		}
		await fleet.served();
		stop();
		const verdict = await fleet.verdict({ identifies: shards });
		expect(verdict).toMatchObject({ faults: [], lost: [], repeats: 0 });
		expect(resumes()).toBe(before);
		await fleet.whole();
	});
});
