// Effects of events that must happen once, on a real Redis.
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { IoredisPort } from '../../packages/cluster/src/redis/ioredis-port.js';
import { connectTo, describeWithRedis, type RedisServer, redisServer } from '../../packages/cluster/test/support/redis-server.js';
import { Effects } from '../../packages/queue/src/consumer/effects.js';
import { keys } from './queue-support.js';

describeWithRedis('an effect of an event', () => {
	let server: RedisServer;
	let redis: IoredisPort;
	let effects: Effects;
	let runs: string[];
	beforeAll(async () => {
		server = await redisServer();
		redis = await connectTo(server);
	});
	afterAll(async () => {
		await redis?.close();
		await server?.close();
	});
	beforeEach(async () => {
		await redis.batch([['FLUSHALL']]);
		[effects, runs] = [new Effects({ redis, keys, group: 'g' }), []];
	});

	const run = (name: string) => () => void runs.push(name);

	it('happens once for each event, name and group', async () => {
		expect(await effects.once('a:1', run('first'))).toBe('done');
		expect(await effects.once('a:1', run('again'))).toBe('before');
		expect(await effects.once('a:1', run('named'), { name: 'mail' })).toBe('done');
		expect(await effects.once('a:2', run('other event'))).toBe('done');
		expect(await new Effects({ redis, keys, group: 'h' }).once('a:1', run('other group'))).toBe('done');
		expect(runs).toEqual(['first', 'named', 'other event', 'other group']);
	});

	it('is tried again when it fails', async () => {
		await expect(effects.once('a:1', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
		expect([await effects.once('a:1', run('again')), runs]).toEqual(['done', ['again']]);
	});

	it('is not repeated where its process ended in the middle of it, unless that is asked for', async () => {
		let release = () => {};
		const middle = effects.once('a:1', () => {
			const held = new Promise<void>((resolve) => {
				release = resolve;
			});
			runs.push('begun');
			return held;
		});
		await expect.poll(() => runs).toEqual(['begun']);
		expect(await effects.once('a:1', run('again'))).toBe('unknown');
		expect(await effects.once('a:1', run('repeated'), { ifUnknown: 'repeat' })).toBe('done');
		expect(await effects.once('a:1', run('again'), { ifUnknown: 'repeat' })).toBe('before');
		expect(runs).toEqual(['begun', 'repeated']);
		release();
		await middle;
	});

	it('is remembered for a bounded time', async () => {
		await effects.once('a:1', () => {}, { keepMs: 60_000 });
		const [ms] = await redis.batch([['PTTL', keys.once('g', 'a:1')]]);
		expect(Number(ms)).toBeGreaterThan(0);
		expect(Number(ms)).toBeLessThanOrEqual(60_000);
		await expect(effects.once('a:1', () => {}, { keepMs: 0 })).rejects.toThrow(/keepMs/);
	});

	it('happens once also where Redis is full', async () => {
		await redis.batch([['CONFIG', 'SET', 'maxmemory-policy', 'noeviction', 'maxmemory', '1']]);
		try {
			await expect(redis.batch([['SET', 'other', '1']])).rejects.toThrow(/OOM|maxmemory/);
			expect(await effects.once('a:1', run('first'))).toBe('done');
			expect(await effects.once('a:1', run('again'))).toBe('before');
			await expect(effects.once('a:2', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
			expect(await effects.once('a:2', run('second'))).toBe('done');
			expect(runs).toEqual(['first', 'second']);
		} finally {
			await redis.batch([['CONFIG', 'SET', 'maxmemory', '0']]);
		}
	});

	it('does not happen where Redis does not answer', async () => {
		const away = await connectTo(server);
		await away.close();
		await expect(new Effects({ redis: away, keys, group: 'g' }).once('a:1', run('blind'))).rejects.toMatchObject({
			code: 'REDIS_UNAVAILABLE',
		});
		expect(runs).toEqual([]);
	});
});
