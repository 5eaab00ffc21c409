// The removal of a group over a real Redis: a worker that comes back afterwards, and a removal that is interrupted.
import type { RedisPort } from '@shardctl/cluster';
import { DeadEvents, QueueFigures, queueLayout, removeGroup } from '@shardctl/queue';
import { waitFor } from '@shardctl/test-support';
import { afterEach, beforeEach, expect, it, onTestFinished } from 'vitest';
import type { IoredisPort } from '../../packages/cluster/src/redis/ioredis-port.js';
import { connectTo, describeWithRedis, type RedisServer, redisServer } from '../../packages/cluster/test/support/redis-server.js';
import { tcpProxy } from '../../packages/cluster/test/support/tcp-proxy.js';
import { keys, type NumberedWriter, notingWorker, numberedWriter } from './queue-support.js';

describeWithRedis('a group that is removed', () => {
	let server: RedisServer;
	let redis: IoredisPort;
	let source: NumberedWriter;
	beforeEach(async () => {
		server = await redisServer();
		redis = await connectTo(server);
		source = numberedWriter(redis);
		source.writer.start();
		await waitFor('the writer to write', () => source.writer.state === 'writing');
		// Nothing that can have had a partition before is there.
		await redis.batch([['HSET', keys.meta, 'since', 0]]);
	});
	afterEach(async () => {
		source?.writer.stop();
		await redis?.close();
		await server?.close();
	});

	const group = async () => (await new QueueFigures(redis, keys).look()).groups[0];

	it('gets only what is new when a worker that was cut off comes back, which hears of it', async () => {
		const proxy = await tcpProxy(server.port);
		onTestFinished(() => proxy.close());
		const warnings: string[] = [];
		const worker = await notingWorker(proxy.url, { leaseMs: 1000, onWarning: (message) => warnings.push(message) });
		onTestFinished(() => worker.queue.close());
		await waitFor('its partitions', () => worker.queue.stats().partitions === 16);
		for (let n = 0; n < 40; n++) source.write(n);
		await waitFor('all to be acknowledged', async () => worker.handled.length === 40 && (await group())?.lag === 0);
		proxy.set({ refuse: true });
		proxy.reset();
		for (let n = 0; n < 40; n++) source.write(n);
		await waitFor('its lease to be over', async () => source.written() === 80 && (await group())?.members === 0);
		expect(await removeGroup(redis, keys, 'g')).toEqual({ unhandled: 40, dead: 0 });
		proxy.heal();
		await waitFor('the group to be there', async () => (await group())?.partitions === 16, { timeoutMs: 20_000 });
		for (let n = 0; n < 40; n++) source.write(n);
		await waitFor('the new events', async () => worker.handled.includes('39:3') && (await group())?.lag === 0);
		const handledOf = (n: number) => worker.handled.filter((each) => each.endsWith(`:${n}`)).length;
		expect([1, 2, 3].map(handledOf)).toEqual([40, 0, 40]);
		expect(await group()).toMatchObject({ members: 1, missed: 0, dead: 0 });
		expect(warnings.filter((each) => each.startsWith('group "g" was removed'))).toHaveLength(1);
	});

	it('is removed by a second try where the first one was interrupted', async () => {
		const failing = await notingWorker(server.url, {
			onEvent: () => {
				throw new Error('no');
			},
		});
		onTestFinished(() => failing.queue.close());
		await waitFor('its partitions', () => failing.queue.stats().partitions === 16);
		source.write(1);
		const dead = new DeadEvents(redis, keys);
		await waitFor('one to be given up', async () => (await dead.list(10)).length === 1);
		await failing.queue.close();
		source.write(1);
		await waitFor('it to be written', () => source.written() === 2);
		/** As a manager that is killed before it has read the dead events. */
		const interrupted: Pick<RedisPort, 'batch' | 'script'> = {
			script: (...call) => redis.script(...call),
			batch: (commands, options) =>
				commands.some(([, key]) => key === keys.dead) ? Promise.reject(new Error('killed')) : redis.batch(commands, options),
		};
		await expect(removeGroup(interrupted, keys, 'g')).rejects.toThrow('killed');
		const [left] = await dead.list(10);
		expect([await group(), left?.group]).toEqual([undefined, 'g']);
		// Put back, no group would ever get it.
		await expect(dead.retry(left?.id as string, queueLayout(1))).rejects.toMatchObject({
			code: 'OPTIONS_INVALID',
			message: expect.stringContaining('is of a group that is not there any more'),
		});
		expect(await dead.retry('all', queueLayout(1))).toEqual({ count: 0, tooOld: 0 });
		expect(await removeGroup(redis, keys, 'g')).toEqual({ unhandled: 0, dead: 1 });
		expect(await dead.list(10)).toEqual([]);
		// What a worker leaves that came back and ended before it had subscribed.
		await redis.batch([
			['HSET', keys.group('g'), 'time', 1, 'p:0', 'gone 1'],
			['XGROUP', 'CREATE', keys.events(0), 'g', '0', 'MKSTREAM'],
		]);
		expect(await removeGroup(redis, keys, 'g')).toEqual({ unhandled: 0, dead: 0 });
		expect(
			String(
				await redis.batch([
					['HKEYS', keys.group('g')],
					['XINFO', 'GROUPS', keys.events(0)],
				]),
			),
		).toBe('removed,');
		await expect(removeGroup(redis, keys, 'g')).rejects.toMatchObject({
			code: 'OPTIONS_INVALID',
			message: 'the queue has no group "g"; it has none',
		});
	});
});
