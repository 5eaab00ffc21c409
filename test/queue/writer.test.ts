// The writer of a shard's events against a Redis that is cut off, restarted and emptied: every event once in the streams, in order.

import { partitionCount, queueLayout } from '@shardctl/queue';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { IoredisPort } from '../../packages/cluster/src/redis/ioredis-port.js';
import { connectTo, describeWithRedis, type RedisServer, redisServer } from '../../packages/cluster/test/support/redis-server.js';
import { keys, numberedWriter, orderProblems } from './queue-support.js';

describeWithRedis('the writer of the event queue', () => {
	let server: RedisServer;
	let redis: IoredisPort;
	beforeEach(async () => {
		server = await redisServer({ persist: true });
		redis = await connectTo(server);
	});
	afterEach(async () => {
		await redis?.close();
		await server?.close();
	});

	/** `guild:n` of all streams: those of one guild are in order. Over a connection of its own, as the writer's may be broken. */
	async function everything(): Promise<string[]> {
		const partitions = Array.from({ length: partitionCount(queueLayout(1)) }, (_, partition) => partition);
		const reader = await connectTo(server);
		const streams = (await reader.batch(partitions.map((partition) => ['XRANGE', keys.events(partition), '-', '+']))) as [
			Buffer,
			Buffer[],
		][][];
		await reader.close();
		return streams.flat().map(([, fields]) => {
			const { guild, n } = JSON.parse(String(fields.at(-1))) as { guild: number; n: number };
			return `${guild}:${n}`;
		});
	}

	it('writes every event once and in order, and says how far it is', async () => {
		const under = numberedWriter(redis);
		under.writer.start();
		for (let n = 0; n < 5000; n++) under.write(n % 40);
		await expect.poll(under.written).toBe(5000);
		const all = await everything();
		expect([all.length, orderProblems(all, under.counts)]).toEqual([5000, []]);
		under.writer.stop();
	});

	it('loses and repeats nothing when the connection breaks while scripts are under way', async () => {
		const under = numberedWriter(redis);
		under.writer.start();
		await expect.poll(() => under.writer.state).toBe('writing');
		for (let round = 1; round <= 5; round++) {
			for (let n = 0; n < 1000; n++) under.write(n % 40);
			await expect.poll(under.written).toBeGreaterThan((round - 1) * 1000);
			const killer = await connectTo(server);
			await killer.batch([['CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes']]);
			await killer.close();
			await expect.poll(under.written).toBe(round * 1000);
		}
		const all = await everything();
		expect([all.length, orderProblems(all, under.counts)]).toEqual([5000, []]);
		under.writer.stop();
	});

	it('continues after a restart of Redis with its data, and without', async () => {
		const under = numberedWriter(redis);
		under.writer.start();
		for (let n = 0; n < 500; n++) under.write(n % 7);
		await expect.poll(under.written).toBe(500);
		await server.restart();
		for (let n = 0; n < 500; n++) under.write(n % 7);
		await expect.poll(under.written).toBe(1000);
		expect(orderProblems(await everything(), under.counts)).toEqual([]);
		await redis.batch([['FLUSHALL']]);
		for (let n = 0; n < 500; n++) under.write(n % 7);
		await expect.poll(under.written).toBe(1500);
		expect((await everything()).length).toBe(500);
		under.writer.stop();
	});

	it('continues to count where Redis has lost its data, and says so', async () => {
		const lost: (number | undefined)[] = [];
		const under = numberedWriter(redis, { onLost: (events) => lost.push(events) });
		under.writer.start();
		for (let n = 0; n < 500; n++) under.write(n % 7);
		await expect.poll(under.written).toBe(500);
		await redis.batch([['FLUSHALL']]);
		for (let n = 0; n < 70; n++) under.write(n % 7);
		await expect.poll(under.written).toBe(570);
		const record = (await redis.batch([['HGETALL', keys.record(0)]]))[0] as Buffer[];
		const numbers = record.map(String).flatMap((field, at) => (field.startsWith('n:') ? [Number(record[at + 1])] : []));
		expect([lost, numbers.reduce((sum, n) => sum + n, 0)]).toEqual([[undefined], 570]);
		expect(under.writer.failure).toBeUndefined();
		under.writer.stop();
	});

	it('writes no more once another process is the writer, and says so', async () => {
		const [first, second] = [numberedWriter(redis), numberedWriter(redis)];
		first.writer.start();
		first.write(1);
		await expect.poll(first.written).toBe(1);
		second.writer.start();
		await expect.poll(() => second.writer.state).toBe('writing');
		first.write(1);
		await expect.poll(() => [first.writer.state, first.failures]).toEqual(['fenced', ['FENCED']]);
		expect([first.writer.accepting, await everything()]).toEqual([false, ['1:1']]);
		second.writer.stop();
	});

	it('is in a cluster the process with the epoch of the lease: one that was replaced writes again only with a later one', async () => {
		const leases = { old: 5, next: 6 };
		const old = numberedWriter(redis, { epoch: () => leases.old });
		const next = numberedWriter(redis, { epoch: () => leases.next });
		old.writer.start();
		old.write(1);
		await expect.poll(old.written).toBe(1);
		next.writer.start();
		await expect.poll(() => next.writer.state).toBe('writing');
		// Discord sends it to the new owner, and the old one has it as well: cut off, it had not sent it.
		next.write(1);
		next.write(1);
		await expect.poll(next.written).toBe(2);
		old.write(1);
		await expect.poll(() => old.writer.state).toBe('fenced');
		old.writer.claimAgain();
		await expect.poll(() => old.failures.length).toBe(2);
		expect([old.writer.state, await everything()]).toEqual(['fenced', ['1:1', '1:2']]);
		leases.old = 7;
		old.writer.claimAgain();
		await expect.poll(() => old.writer.state).toBe('writing');
		// What it could not write is there already.
		await expect.poll(old.written).toBe(2);
		expect(await everything()).toEqual(['1:1', '1:2']);
		next.write(1);
		await expect.poll(() => next.writer.state).toBe('fenced');
		old.writer.stop();
		next.writer.stop();
	});
});
