// `--cluster-state none`: what is saved of a session stays on its node, so a session that gets to another node starts there.
import { expect, it } from 'vitest';
import { describeWithRedis } from '../../packages/cluster/test/support/redis-server.js';
import { clusterFleet } from './cluster-fleet.js';

describeWithRedis('a fleet of several nodes that do not share their state', () => {
	it('starts sessions on another node with one IDENTIFY each after a kill and after a stop, and says so', async () => {
		const fleet = await clusterFleet({ shards: 4, args: ['--cluster-state', 'none'] });
		const { a, b } = await fleet.startAll(['a', 'b']);
		await fleet.whole();
		const killed = (await fleet.sessionsOf(a)).length;
		const stop = fleet.talk(100);
		await fleet.served();
		a.kill('everything');
		await fleet.servedBy(b);
		expect(fleet.simulator.log.entries({ type: 'identify' })).toHaveLength(4 + killed);
		const c = await fleet.start('c');
		b.kill('manager', 'SIGTERM');
		expect(await b.run.exit).toBe(0);
		expect(b.times(/^the 4 sessions start on other nodes with an IDENTIFY each/)).toBe(1);
		await fleet.servedBy(c);
		stop();
		fleet.expectIdentifies(4 + killed + 4);
	});
});
