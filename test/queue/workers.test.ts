// Workers of the event queue over a real Redis: every event handled at least once and in order of its guild, whichever worker joins, leaves, fails or is
// cut off.
import { QueueFigures } from '@shardctl/queue';
import { waitFor } from '@shardctl/test-support';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { IoredisPort } from '../../packages/cluster/src/redis/ioredis-port.js';
import { connectTo, describeWithRedis, type RedisServer, redisServer } from '../../packages/cluster/test/support/redis-server.js';
import { keys, type NotingWorker, type NumberedWriter, notingWorker, numberedWriter, orderProblems } from './queue-support.js';

describeWithRedis('the workers of the event queue', () => {
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

	const pending = async () => {
		const groups = await Promise.all(
			Array.from({ length: 16 }, (_, partition) => redis.batch([['XPENDING', keys.events(partition), 'g']])),
		);
		return groups.reduce((sum, [answer]) => sum + Number((answer as unknown[])[0]), 0);
	};

	it('handle what was written before they were there, each event once, in order', async () => {
		const first = await start();
		await first.queue.close();
		write(3000);
		await expect.poll(source.written).toBe(3000);
		const worker = await start();
		await expect.poll(() => worker.handled.length).toBe(3000);
		expect(orderProblems(worker.handled, source.counts)).toEqual([]);
		await expect.poll(pending).toBe(0);
		expect(worker.queue.stats()).toMatchObject({
			missed: 0,
			dead: 0,
			inHand: 0,
			partitions: 16,
			members: 1,
		});
	});

	it('divide the guilds among them as they join and leave, without a gap, a repeat or a change of order', async () => {
		const order: string[] = [];
		const onEvent = ({ data }: { data: unknown }) => {
			const { guild, n } = data as { guild: number; n: number };
			order.push(`${guild}:${n}`);
		};
		const first = await start({ onEvent });
		await expect.poll(() => first.queue.stats().partitions).toBe(16);
		write(1000);
		const [second, third] = [await start({ onEvent }), await start({ onEvent })];
		const shares = () => [first, second, third].map(({ queue }) => queue.stats().partitions).sort((a, b) => a - b);
		await expect.poll(shares).toEqual([5, 5, 6]);
		write(1000);
		await expect.poll(() => order.length).toBe(2000);
		expect(Math.min(...[second, third].map(({ handled }) => handled.length))).toBeGreaterThan(0);
		await second.queue.close();
		write(1000);
		await expect.poll(() => order.length).toBe(3000);
		await second.running;
		expect([orderProblems(order, source.counts), new Set(order).size]).toEqual([[], 3000]);
		await expect.poll(pending).toBe(0);
	});

	it('leave what was not begun to the next worker when they stop, and finish what was', async () => {
		let release = () => {};
		const held = new Promise<void>((resolve) => {
			release = resolve;
		});
		const slow = await start({ onEvent: () => held, concurrency: 5 });
		write(200);
		await expect.poll(() => slow.queue.stats().running).toBe(5);
		const closing = slow.queue.close();
		const next = await start();
		release();
		await closing;
		await expect.poll(() => slow.handled.length + next.handled.length).toBe(200);
		expect(slow.handled.length).toBe(5);
		expect(orderProblems([...slow.handled, ...next.handled], source.counts)).toEqual([]);
	});

	it('try an event again when its handler fails, keep the order of its guild, and give it up after three tries', async () => {
		const tries: string[] = [];
		const dead: string[] = [];
		const worker = await start({
			onEvent: ({ data, attempt }) => {
				const { guild, n } = data as { guild: number; n: number };
				if (guild === 1) tries.push(`${n}:${attempt}`);
				if (guild === 1 && (n === 2 || (n === 4 && attempt === 1))) throw new Error('no');
			},
			onWarning: (message) => dead.push(message),
		});
		write(50, 10);
		await expect.poll(() => worker.handled.length).toBe(49);
		expect(tries).toEqual(['1:1', '2:1', '2:2', '2:3', '3:1', '4:1', '4:2', '5:1']);
		expect(dead).toEqual([
			expect.stringMatching(/^gave up the MESSAGE_CREATE event a:12 after 3 tries: no \("shardctl queue dead" lists it\)$/),
		]);
		const [entries] = (await redis.batch([['XRANGE', keys.dead, '-', '+']])) as [[Buffer, Buffer[]][]];
		expect(entries.map(([, fields]) => fields.slice(0, 6).map(String))).toEqual([
			['group', 'g', 'reason', 'no', 't', 'MESSAGE_CREATE'],
		]);
		await expect.poll(pending).toBe(0);
	});

	it('get each event once for each group, and only the events that the group asked for', async () => {
		const [a, b, c] = [await start(), await start({ group: 'other' }), await start({ group: 'third', events: ['GUILD_CREATE'] })];
		write(300);
		await expect.poll(() => [a.handled.length, b.handled.length]).toEqual([300, 300]);
		await expect.poll(() => c.queue.stats().partitions).toBe(16);
		expect(c.handled).toEqual([]);
	});

	it('continue after their connections broke and after a restart of Redis without its data', async () => {
		const worker = await start({ leaseMs: 1000 });
		write(500);
		await expect.poll(() => new Set(worker.handled).size).toBe(500);
		await redis.batch([['CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes']]);
		write(500);
		await expect.poll(() => new Set(worker.handled).size).toBe(1000);
		expect(orderProblems(worker.handled, source.counts)).toEqual([]);
		await server.restart();
		write(500);
		await expect.poll(() => new Set(worker.handled).size).toBe(1500);
		expect(orderProblems(worker.handled, source.counts)).toEqual([]);
	});

	it('(43) hear how many events the queue had removed before they were handled', async () => {
		const missed: number[] = [];
		const onMissed = ({ count }: { count: number }) => missed.push(count);
		const first = await start({ onMissed });
		await first.queue.close();
		source.writer.stop();
		// Each stream keeps 100 events, or a few more.
		source = numberedWriter(redis, { keep: { bytes: 1, ageMs: 600_000 } });
		source.writer.start();
		write(8000);
		await expect.poll(source.written).toBe(8000);
		const worker = await start({ onMissed });
		const all = () => missed.reduce((sum, count) => sum + count, 0);
		await expect.poll(() => worker.handled.length + all()).toBe(8000);
		expect(worker.handled.length).toBeLessThan(16 * 250);
		const [group] = (await new QueueFigures(redis, keys).look()).groups;
		expect([worker.queue.stats().missed, group?.missed]).toEqual([all(), all()]);
	});

	it('refuse what cannot work, with every problem', async () => {
		await expect(start({ group: '', events: ['messageCreate'], concurrency: 0 })).rejects.toThrow(
			/group must be .*; "messageCreate" is not .*; concurrency must be/,
		);
	});
});
