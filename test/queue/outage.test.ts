// A Redis that is full, or stopped for longer than a lease, under the writer and the workers of a queue: what README.md promises, counted.
import { QueueFigures } from '@shardctl/queue';
import { waitFor } from '@shardctl/test-support';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { IoredisPort } from '../../packages/cluster/src/redis/ioredis-port.js';
import { connectTo, describeWithRedis, type RedisServer, redisServer } from '../../packages/cluster/test/support/redis-server.js';
import { keys, type NotingWorker, type NumberedWriter, notingWorker, numberedWriter, orderProblems } from './queue-support.js';

describeWithRedis('an event queue whose Redis is in trouble', () => {
	let server: RedisServer;
	let redis: IoredisPort;
	let source: NumberedWriter;
	const workers: NotingWorker[] = [];
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
		await Promise.all(workers.splice(0).map(({ queue }) => queue.close()));
		source?.writer.stop();
		await redis?.close();
		await server?.close();
	});

	async function start(options: Parameters<typeof notingWorker>[1] = {}): Promise<NotingWorker> {
		const worker = await notingWorker(server.url, options);
		workers.push(worker);
		return worker;
	}

	const write = (count: number, guilds = 40) => {
		for (let n = 0; n < count; n++) source.write(n % guilds);
	};

	it('keeps back what does not fit into a full Redis, while workers acknowledge, join and leave as before', async () => {
		let release = () => {};
		const held = new Promise<void>((resolve) => {
			release = resolve;
		});
		const first = await start({ onEvent: () => held });
		write(500);
		await expect.poll(source.written).toBe(500);
		await expect.poll(() => first.queue.stats().running).toBe(40);
		await redis.batch([['CONFIG', 'SET', 'maxmemory', '1mb']]);
		write(500);
		await expect.poll(() => source.failures).toEqual(['REDIS_REFUSED']);
		release();
		await expect.poll(() => first.handled.length).toBe(500);
		const second = await start();
		await expect.poll(() => [first, second].map(({ queue }) => queue.stats().partitions)).toEqual([8, 8]);
		await first.queue.close();
		await expect.poll(() => second.queue.stats().partitions).toBe(16);
		expect(source.written()).toBe(500);
		await redis.batch([['CONFIG', 'SET', 'maxmemory', '0']]);
		await expect.poll(() => second.handled.length).toBe(500);
		// The answer to the writer may arrive after the events were handled.
		await expect.poll(source.written).toBe(1000);
		expect(orderProblems([...first.handled, ...second.handled], source.counts)).toEqual([]);
	});

	it('writes again as soon as workers have handled what fills a Redis, without more memory', async () => {
		const worker = await start();
		write(4000);
		await expect.poll(() => worker.handled.length, { timeout: 20_000 }).toBe(4000);
		await waitFor('all to be acknowledged', async () => (await new QueueFigures(redis, keys).look()).groups[0]?.lag === 0);
		const used = async () => Number(/used_memory:(\d+)/.exec(String((await redis.batch([['INFO', 'memory']]))[0]))?.[1]);
		// Nothing more fits, and much of it is events that no group needs.
		await redis.batch([['CONFIG', 'SET', 'maxmemory', await used()]]);
		write(400);
		await expect.poll(source.written, { timeout: 20_000 }).toBe(4400);
		await expect.poll(() => new Set(worker.handled).size).toBe(4400);
		expect([source.failures, source.writer.failure]).toEqual([['REDIS_REFUSED'], undefined]);
		expect(orderProblems(worker.handled, source.counts)).toEqual([]);
		expect(worker.queue.stats().missed).toBe(0);
	});

	it('counts what was lost with the data of Redis as missed, and continues', async () => {
		let release = () => {};
		const held = new Promise<void>((resolve) => {
			release = resolve;
		});
		const worker = await start({ onEvent: () => held });
		// More than it has in hand.
		write(4000);
		await expect.poll(source.written).toBe(4000);
		await expect.poll(() => worker.queue.stats().inHand).toBeGreaterThan(500);
		await server.restart();
		release();
		write(400);
		await expect.poll(source.written, { timeout: 20_000 }).toBe(4400);
		const accounted = () => new Set(worker.handled).size + worker.queue.stats().missed;
		await expect.poll(accounted, { timeout: 20_000 }).toBe(4400);
		expect(worker.queue.stats().missed).toBeGreaterThan(1000);
		expect(source.writer.failure).toBeUndefined();
	});

	it('(42) loses nothing where Redis is stopped for longer than a lease, and repeats at most what was in hand', async () => {
		const worker = await start({ leaseMs: 1000 });
		write(2000);
		await waitFor('some to be handled', () => worker.handled.length > 200);
		server.kill('SIGSTOP');
		write(1000);
		// The deadline of its calls is longer than the lease.
		await expect.poll(() => source.failures, { timeout: 20_000 }).not.toEqual([]);
		server.kill('SIGCONT');
		await waitFor('all to be handled', () => new Set(worker.handled).size === 3000);
		expect(orderProblems(worker.handled, source.counts)).toEqual([]);
		// As many as a worker has in hand at most.
		expect(worker.handled.length - 3000).toBeLessThanOrEqual(1024);
		expect(worker.queue.stats()).toMatchObject({ missed: 0, dead: 0 });
	});
});
