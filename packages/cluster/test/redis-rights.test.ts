// Which Redis is accepted, and with which rights everything works. Numbers are the rows of the failure table.
import { systemClock } from '@shardctl/core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { MessageSeal } from '../src/bus/message-seal.js';
import { NodeBus } from '../src/bus/node-bus.js';
import { RedisIdentifyCoordinator } from '../src/identify/redis-identify-coordinator.js';
import { timingsFor } from '../src/lease/timings.js';
import { ClusterNode } from '../src/node/cluster-node.js';
import { requireSuitableEngine } from '../src/redis/engine-check.js';
import { engineReport } from '../src/redis/engine-report.js';
import type { IoredisPort } from '../src/redis/ioredis-port.js';
import { clusterKeys } from '../src/redis/keys.js';
import { RedisSnapshotStore } from '../src/snapshots/redis-snapshot-store.js';
import { FakeHost } from './support/fake-host.js';
import { connectTo, describeWithRedis, type RedisServer, redisServer } from './support/redis-server.js';

describeWithRedis('the engine of a cluster, and the rights of its user', () => {
	let server: RedisServer;
	let redis: IoredisPort;
	beforeAll(async () => {
		server = await redisServer();
		redis = await connectTo(server);
	});
	afterAll(async () => {
		await redis?.close();
		await server?.close();
	});

	it('(24, 25) refuses an engine that evicts keys, and a replica, with what to do', async () => {
		expect(await requireSuitableEngine(redis)).toMatchObject({ role: 'master', maxmemoryPolicy: 'noeviction' });
		await redis.batch([
			['CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru'],
			['REPLICAOF', '127.0.0.1', '1'],
		]);
		await expect(requireSuitableEngine(redis)).rejects.toMatchObject({
			code: 'REDIS_UNSUITABLE',
			details: { problems: [expect.stringContaining('replica'), expect.stringContaining('allkeys-lru')] },
		});
		await redis.batch([
			['REPLICAOF', 'NO', 'ONE'],
			['CONFIG', 'SET', 'maxmemory-policy', 'noeviction'],
		]);
	});

	it('refuses a wrong password and an address where no Redis is, with the reason', async () => {
		const { hostname, port } = new URL(server.url);
		await redis.batch([['ACL', 'SETUSER', 'known', 'on', '>right', '+@all', '~*', '&*']]);
		await expect(connectTo({ url: `redis://known:wrong@${hostname}:${port}` }, { timeoutMs: 300 }, 700)).rejects.toMatchObject({
			code: 'REDIS_UNAVAILABLE',
			message: expect.stringMatching(/^(?!.*wrong@).*WRONGPASS/),
		});
		await expect(connectTo({ url: 'redis://127.0.0.1:1' }, {}, 700)).rejects.toMatchObject({
			code: 'REDIS_UNAVAILABLE',
			message: expect.stringContaining('ECONNREFUSED'),
		});
	});

	it('reports how well an engine carries a cluster, also to a user that may not read its settings', async () => {
		const keys = clusterKeys('report');
		expect(await engineReport(redis, keys, systemClock)).toMatchObject({
			role: 'master',
			appendOnly: false,
			cannotSave: false,
			maxBytes: 0,
			replicas: 0,
			boundsReplicas: false,
			maxLagMs: 10_000,
			refusal: undefined,
		});
		await redis.batch([
			['CONFIG', 'SET', 'min-replicas-to-write', '1'],
			['CONFIG', 'SET', 'min-replicas-max-lag', '1'],
			['ACL', 'SETUSER', 'few', 'on', '>secret', '~shardctl:report:*', '+@all', '-@dangerous', '+info'],
		]);
		try {
			expect(await engineReport(redis, keys, systemClock).catch((error: unknown) => error)).toMatchObject({
				// Without a replica this master refuses writes.
				boundsReplicas: true,
				maxLagMs: 1000,
				refusal: expect.stringContaining('NOREPLICAS'),
			});
			await redis.batch([['CONFIG', 'SET', 'min-replicas-to-write', '0']]);
			const few = await connectTo({ url: server.url.replace('redis://', 'redis://few:secret@') });
			const report = await engineReport(few, keys, systemClock);
			await few.close();
			// Its rights have no channel.
			expect(report).toMatchObject({ maxLagMs: undefined, refusal: expect.stringContaining('publish') });
			expect((await redis.batch([['KEYS', 'shardctl:report:*']]))[0]).toEqual([]);
		} finally {
			await redis.batch([
				['CONFIG', 'SET', 'min-replicas-to-write', '0'],
				['CONFIG', 'SET', 'min-replicas-max-lag', '10'],
			]);
		}
	});

	it('works with a user that may do no more than what the README says', async () => {
		const app = '123';
		const keys = clusterKeys(app);
		const rights = [`~shardctl:${app}:*`, `&shardctl:${app}:*`, '+@all', '-@dangerous', '+info'];
		await redis.batch([['ACL', 'SETUSER', 'shardctl', 'on', '>secret', ...rights]]);
		const { port } = new URL(server.url);
		const limited = await connectTo({ url: `redis://shardctl:secret@127.0.0.1:${port}` });
		const timings = timingsFor({ leaseMs: 1000 });
		const member = { name: 'a', version: '0', pid: 1, startedAt: 1, capacity: 10 };
		const node = new ClusterNode({
			redis: limited,
			keys,
			timings,
			host: new FakeHost('a', []),
			member,
			layout: { totalShards: 1, sessions: 1 },
		});
		const coordinator = new RedisIdentifyCoordinator({ redis: limited, keys, clock: systemClock, reserve: 0 });
		const bus = new NodeBus<Record<never, never>>({
			redis: limited,
			keys,
			node: node.node,
			seal: new MessageSeal({ secret: 'x', applicationId: app }),
			serve: () => {},
		});
		try {
			await requireSuitableEngine(limited);
			await node.start();
			await expect.poll(() => node.mayAct(0)).toBe(true);
			await node.saveRecord(0, '{}');
			const held = node.state.holding(0);
			const guard = { node: node.node, session: 0, timings, identity: () => node.state.identity };
			const store = new RedisSnapshotStore({ redis: limited, keys, scope: '0', guard });
			await store.write('a', Buffer.from('x'), String(held?.epoch));
			await coordinator.start();
			await bus.start();
			await bus.peer(node.node);
			await expect(limited.batch([['GET', 'of another application']])).rejects.toMatchObject({ details: { reply: 'NOPERM' } });
			await expect(limited.batch([['FLUSHALL']])).rejects.toMatchObject({ details: { reply: 'NOPERM' } });
		} finally {
			await bus.close();
			await coordinator.close();
			await node.stop();
			await limited.close();
		}
	});
});
