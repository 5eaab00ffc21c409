// The same on Valkey, where valkey-server is present: takeover, drain, saved state and the rights of a user that may do no more than needed.
import { waitFor } from '@shardctl/test-support';
import { expect, it, onTestFinished } from 'vitest';
import { requireSuitableEngine } from '../src/redis/engine-check.js';
import { clusterKeys } from '../src/redis/keys.js';
import { RedisSnapshotStore } from '../src/snapshots/redis-snapshot-store.js';
import { FakeFleet } from './support/fake-fleet.js';
import { connectTo, describeWithServer, redisServer } from './support/redis-server.js';

describeWithServer('valkey-server', 'a cluster on Valkey', (program) => {
	it('takes over from a node that dies, moves what a node drains, and saves state under the fence of the owner', async () => {
		const server = await redisServer({ program });
		onTestFinished(() => server.close());
		const redis = await connectTo(server);
		onTestFinished(() => redis.close());
		await requireSuitableEngine(redis);
		const fleet = new FakeFleet(server, { app: 'valkey', sessions: 4, leaseMs: 1200 });
		onTestFinished(() => fleet.close());
		const [, second, third] = [await fleet.start('a'), await fleet.start('b'), await fleet.start('c')];
		await waitFor('every session to have an owner', () => fleet.allOwned());
		await third.kill();
		await waitFor('the sessions of the dead node to have another owner', () => fleet.allOwned());
		await second.node.update({ draining: true });
		await waitFor('the node to be empty', () => second.node.state.sessions.length === 0 && fleet.allOwned());
		expect(fleet.overlaps).toEqual([]);
		const store = new RedisSnapshotStore({ redis, keys: clusterKeys('valkey'), scope: 'any' });
		await store.write('a', [Buffer.alloc(600_000, 1), Buffer.from('end')], '2');
		expect(
			Buffer.from((await store.read('a')) as Uint8Array)
				.subarray(-3)
				.toString(),
		).toBe('end');
		await expect(store.write('a', Buffer.from('old'), '1')).rejects.toMatchObject({ code: 'FENCED' });
	});
});
