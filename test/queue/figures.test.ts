// What a person sees of a queue, and does with the events that a group gave up, over a real Redis.
import { systemClock } from '@shardctl/core';
import { DeadEvents, emptyLook, InteractionDeferral, partitionOf, QueueFigures, queueLayout, removeGroup } from '@shardctl/queue';
import { waitFor } from '@shardctl/test-support';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { IoredisPort } from '../../packages/cluster/src/redis/ioredis-port.js';
import { connectTo, describeWithRedis, type RedisServer, redisServer } from '../../packages/cluster/test/support/redis-server.js';
import { guild, keys, type NotingWorker, type NumberedWriter, notingWorker, numberedWriter } from './queue-support.js';

describeWithRedis('the figures of a queue', () => {
	let server: RedisServer;
	let redis: IoredisPort;
	let source: NumberedWriter;
	let figures: QueueFigures;
	let dead: DeadEvents;
	const workers: NotingWorker[] = [];
	beforeEach(async () => {
		server = await redisServer();
		redis = await connectTo(server);
		source = numberedWriter(redis);
		figures = new QueueFigures(redis, keys);
		dead = new DeadEvents(redis, keys);
	});
	afterEach(async () => {
		await Promise.all(workers.splice(0).map(({ queue }) => queue.close()));
		source?.writer.stop();
		await redis?.close();
		await server?.close();
	});

	async function begin(): Promise<void> {
		source.writer.start();
		await waitFor('the writer to write', () => source.writer.state === 'writing');
		// Nothing that can have had a partition before is there.
		await redis.batch([['HSET', keys.meta, 'since', 0]]);
	}

	async function worker(options: Parameters<typeof notingWorker>[1] = {}): Promise<NotingWorker> {
		const made = await notingWorker(server.url, options);
		workers.push(made);
		return made;
	}

	it('are empty before anything has written to it', async () => {
		expect(await figures.layout()).toBeUndefined();
		expect(await figures.look()).toEqual(emptyLook);
	});

	it('say of each group how far it is, how old its oldest event is, and who reads', async () => {
		await begin();
		const away = await worker({ group: 'away' });
		await away.queue.close();
		let release = () => {};
		const held = new Promise<void>((resolve) => {
			release = resolve;
		});
		const slow = await worker({ group: 'slow', concurrency: 2, onEvent: () => held });
		await waitFor('its partitions', () => slow.queue.stats().partitions === 16);
		for (let n = 0; n < 30; n++) source.write(n % 10);
		await waitFor('all of it to be written', () => source.written() === 30);
		await waitFor('two to run', () => slow.queue.stats().running === 2);
		const busy = await figures.look();
		expect(busy).toMatchObject({ shards: 1, partitionsPerShard: 16, written: 30 });
		const [first, second] = busy.groups;
		expect(first).toMatchObject({ group: 'away', events: ['MESSAGE_CREATE'], members: 0, partitions: 0, lag: 30, pending: 0 });
		expect(second).toMatchObject({ group: 'slow', members: 1, partitions: 16, lag: 30, missed: 0, dead: 0 });
		expect(second?.pending).toBeGreaterThan(0);
		for (const { oldestAgeMs, behind } of busy.groups) {
			expect(oldestAgeMs).toBeGreaterThan(0);
			expect(behind.length).toBeLessThanOrEqual(8);
			expect(behind[0]?.lag).toBeGreaterThanOrEqual(3);
		}
		release();
		await waitFor('the group to be done', async () => (await figures.look()).groups[1]?.lag === 0);
		expect((await figures.look()).groups[1]).toMatchObject({ pending: 0, oldestAgeMs: 0, behind: [] });
		expect(slow.handled.length).toBe(30);
	});

	it('count the interactions that expired in a group, and those that were deferred and were not', async () => {
		await begin();
		await worker();
		await redis.batch([['HINCRBY', keys.group('g'), 'expired', 3]]);
		const statuses = [204, 404, 404];
		const deferral = new InteractionDeferral({
			redis,
			keys,
			clock: systemClock,
			api: 'http://127.0.0.1',
			onFailed: () => {},
			fetch: () => Promise.resolve(new Response(null, { status: statuses.shift() ?? 500 })),
		});
		const interaction = { id: '1', token: 'secret', type: 2 };
		const known = async (key: string) => String((await redis.batch([['GET', keys.deferred(key)]]))[0]);
		expect(await deferral.begin(interaction, 'a:1')).toBe(true);
		expect(await deferral.begin(interaction, 'a:2')).toBe(false);
		await waitFor('both outcomes', async () => (await known('a:1')) === 'yes' && (await known('a:2')) === 'no');
		// As after the end of a gateway process: Discord has the first response.
		expect(await deferral.begin(interaction, 'a:1')).toBe(false);
		await deferral.stop();
		expect(await known('a:1')).toBe('yes');
		const [lifetimeMs] = await redis.batch([['PTTL', keys.deferred('a:1')]]);
		expect(lifetimeMs).toBeGreaterThan(800_000);
		expect(await figures.look()).toMatchObject({ deferred: 1, deferFailed: 1, groups: [{ group: 'g', expired: 3 }] });
	});

	it('list the events that were given up, and put them back for their group alone, or remove them', async () => {
		await begin();
		let broken = true;
		const onEvent = ({ data }: { data: unknown }) => {
			if (broken && (data as { guild: number }).guild < 2) throw new Error('the database is away');
		};
		const failing = await worker({ onEvent });
		const other = await worker({ group: 'other' });
		await waitFor('their partitions', () => [failing, other].every(({ queue }) => queue.stats().partitions === 16));
		for (let n = 0; n < 4; n++) source.write(n);
		await waitFor('two to be given up', async () => (await dead.list(10)).length === 2);
		await waitFor('the other group', () => other.handled.length === 4);
		const [newest] = await dead.list(1);
		expect(newest).toMatchObject({ group: 'g', reason: 'the database is away', type: 'MESSAGE_CREATE' });
		expect([guild(0), guild(1)]).toContain(newest?.guildId);
		const deadOf = async () => (await figures.look()).groups.map(({ group, dead: count }) => [group, count]);
		await waitFor('the count', async () => (await deadOf()).flat().includes(2));
		await expect(dead.drop('1-1')).rejects.toMatchObject({ code: 'OPTIONS_INVALID' });
		broken = false;
		expect(await dead.retry('all', queueLayout(1))).toEqual({ count: 2, tooOld: 0 });
		await waitFor('them to be handled', () => failing.handled.length === 4);
		await waitFor('all to be acknowledged', async () => (await figures.look()).groups.every(({ lag }) => lag === 0));
		expect([await dead.list(10), await deadOf(), other.handled.length]).toEqual([
			[],
			[
				['g', 0],
				['other', 0],
			],
			4,
		]);
		broken = true;
		source.write(0);
		await waitFor('one to be given up', async () => (await dead.list(10)).length === 1);
		expect(await dead.drop('all')).toEqual({ count: 1, tooOld: 0 });
		expect([await dead.list(10), await deadOf()]).toEqual([
			[],
			[
				['g', 0],
				['other', 0],
			],
		]);
	});

	it('forget a group that is removed, with what it gave up, and refuse while it has workers', async () => {
		await begin();
		const failing = await worker({
			onEvent: () => {
				throw new Error('no');
			},
		});
		await (await worker({ group: 'other' })).queue.close();
		await waitFor('its partitions', () => failing.queue.stats().partitions === 16);
		source.write(1);
		await waitFor('one to be given up', async () => (await dead.list(10)).length === 1);
		await expect(removeGroup(redis, keys, 'g')).rejects.toMatchObject({
			code: 'OPTIONS_INVALID',
			message: expect.stringContaining('group "g" has 1 worker: stop them first'),
		});
		await expect(removeGroup(redis, keys, 'commands')).rejects.toMatchObject({
			code: 'OPTIONS_INVALID',
			message: 'the queue has no group "commands"; it has g, other',
		});
		await failing.queue.close();
		source.write(1);
		source.write(2);
		await waitFor('them to be written', () => source.written() === 3);
		expect(await removeGroup(redis, keys, 'g')).toEqual({ unhandled: 2, dead: 1 });
		expect([await dead.list(10), (await figures.look()).groups.map(({ group }) => group)]).toEqual([[], ['other']]);
		const isUnread = async () => (await redis.batch([['HEXISTS', keys.meta, 'unread']]))[0];
		expect([await isUnread(), await removeGroup(redis, keys, 'other')]).toEqual([0, { unhandled: 3, dead: 0 }]);
		expect([await isUnread(), (await figures.look()).groups]).toEqual([1, []]);
		const [left] = await redis.batch([['HKEYS', keys.group('g')]]);
		expect(String(left)).toBe('removed');
		// One that connects later is a new group.
		const again = await worker();
		await waitFor('its partitions', () => again.queue.stats().partitions === 16);
		source.write(1);
		await waitFor('the new event', () => again.handled.length === 1);
		expect([await isUnread(), again.handled, (await figures.look()).groups[0]]).toEqual([
			0,
			['1:3'],
			expect.objectContaining({ group: 'g', missed: 0, dead: 0 }),
		]);
	});

	it('list and remove the events that programs in other languages gave up without all of their fields', async () => {
		await begin();
		await (await worker()).queue.close();
		const known = ['group', 'g', 'reason', 'no', 't', 'MESSAGE_CREATE', 's', '1', 'sid', 'a'];
		const bury = (...fields: string[]) => redis.batch([['XADD', keys.dead, '*', ...fields]]);
		await bury('group', 'g', 'reason', 'no');
		await bury(...known, 'd', 'null');
		await bury(...known, 'd', '{"half":');
		await bury(...known, 'g', 'x', 'd', '{}');
		await bury(...known, 'd', '{"user":{"id":"4194304"}}');
		const listed = await dead.list(10);
		expect(listed.map(({ type }) => type)).toEqual([...Array(4).fill('MESSAGE_CREATE'), '']);
		const bare = listed.at(-1)?.id;
		await expect(dead.retry(bare as string, queueLayout(1))).rejects.toMatchObject({
			code: 'OPTIONS_INVALID',
			message: expect.stringContaining('lacks a field'),
		});
		expect(await dead.retry('all', queueLayout(1))).toEqual({ count: 3, tooOld: 0 });
		expect((await dead.list(10)).length).toBe(2);
		// An event about a user is where the writer puts that user's.
		expect((await redis.batch([['XLEN', keys.events(partitionOf(0, '4194304', queueLayout(1)))]]))[0]).toBe(1);
		// A counter that is wrong, as after a removal of the stream by hand.
		await redis.batch([['HSET', keys.group('g'), 'dead', 7]]);
		expect(await dead.drop('all')).toEqual({ count: 2, tooOld: 0 });
		expect((await figures.look()).groups[0]).toMatchObject({ dead: 0 });
	});
});
