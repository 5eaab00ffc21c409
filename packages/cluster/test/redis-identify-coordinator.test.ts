// The identify coordinator on a real Redis: the suite of every coordinator, with two holders that share nothing but Redis, and what only
// one in Redis has to do.
import { identifyCoordinatorContract } from '@shardctl/contract-suites';
import { arrivalMarginMs, identifyWindowMs } from '@shardctl/core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { RedisIdentifyCoordinator } from '../src/identify/redis-identify-coordinator.js';
import type { IoredisPort } from '../src/redis/ioredis-port.js';
import { clusterKeys } from '../src/redis/keys.js';
import { connectTo, describeWithRedis, type RedisServer, redisServer } from './support/redis-server.js';
import { settlingClock } from './support/settling-clock.js';

const never = new AbortController().signal;
const limit = { total: 1000, remaining: 100, reset_after: 86_400_000, max_concurrency: 1 };

describeWithRedis('the identify coordinator in Redis', () => {
	let server: RedisServer;
	let redis: IoredisPort;
	let bots = 0;
	const open: RedisIdentifyCoordinator[] = [];
	beforeAll(async () => {
		server = await redisServer();
		redis = await connectTo(server);
	});
	afterAll(async () => {
		await Promise.all(open.map((coordinator) => coordinator.close()));
		await redis?.close();
		await server?.close();
	});

	async function bot(reserve = 0) {
		// Those of the test before: nothing of it may run on.
		await Promise.all(open.splice(0).map((coordinator) => coordinator.close()));
		const name = `bot${++bots}`;
		const keys = clusterKeys(name);
		const time = await settlingClock(redis, name);
		const connect = async () => {
			const coordinator = new RedisIdentifyCoordinator({ ...time, keys, reserve });
			open.push(coordinator);
			await coordinator.start();
			return coordinator;
		};
		// A Redis that knows nothing may have lost the windows that are open.
		await connect();
		await time.clock.advance(20_000);
		return { clock: time.clock, connect, keys };
	}

	identifyCoordinatorContract('RedisIdentifyCoordinator', ({ reserve }) => bot(reserve), {
		runs: Number(process.env.SHARDCTL_CLUSTER_RUNS ?? 12),
	});

	it('passes the slot of one holder to another that waits, at once', async () => {
		const { clock, connect } = await bot();
		const [first, second] = [await connect(), await connect()];
		await first.update(limit);
		const held = await first.acquire({ shardId: 0, automatic: false }, never);
		let got = 0;
		void second.acquire({ shardId: 1, automatic: false }, never).then(() => got++);
		await clock.advance(3000);
		expect(got).toBe(0);
		if (held.allowed) held.slot.release();
		await clock.advance(0);
		expect(got).toBe(1);
	});

	it('counts the slots of a holder that is gone as used when it counts as gone, and its requests as withdrawn', async () => {
		const { clock, connect } = await bot();
		const [gone, left] = [await connect(), await connect()];
		await gone.update(limit);
		await gone.acquire({ shardId: 0, automatic: false }, never);
		void gone.acquire({ shardId: 1, automatic: false }, never);
		await clock.advance(0);
		const at: number[] = [];
		void left.acquire({ shardId: 2, automatic: false }, never).then(() => at.push(clock.monotonic()));
		// As a process that was killed.
		const silent = clock.monotonic();
		gone.silence();
		await clock.advance(30_000);
		expect(at).toHaveLength(1);
		expect((at[0] as number) - silent).toBeGreaterThanOrEqual(10_000 + identifyWindowMs + arrivalMarginMs);
		expect(left.budget().remaining).toBe(98);
	});

	it('(20) keeps the reserve of the day where another cluster, on another Redis, uses session starts of the bot', async () => {
		const coordinator = await (await bot(50)).connect();
		await coordinator.update({ ...limit, remaining: 51 });
		expect(await coordinator.check(1, { automatic: true })).toMatchObject({ allowed: true });
		// All that the one knows of the other: Discord has counted a start that was not its own.
		await coordinator.update({ ...limit, remaining: 50 });
		expect(await coordinator.check(1, { automatic: true })).toMatchObject({ allowed: false });
		expect(await coordinator.check(1, { automatic: false })).toMatchObject({ allowed: true });
	});

	it('grants nothing for a window after Redis has lost its data, and continues with what the holders remember', async () => {
		const { clock, connect, keys } = await bot();
		const coordinator = await connect();
		await coordinator.update(limit);
		const first = await coordinator.acquire({ shardId: 0, automatic: false }, never);
		if (first.allowed) first.slot.sent();
		await clock.advance(0);
		const at: number[] = [];
		void coordinator.acquire({ shardId: 1, automatic: false }, never).then(() => at.push(clock.monotonic()));
		await redis.batch([['DEL', keys.identify]]);
		const lost = clock.monotonic();
		await clock.advance(60_000);
		expect(at).toHaveLength(1);
		expect((at[0] as number) - lost).toBeGreaterThanOrEqual(identifyWindowMs + arrivalMarginMs);
		expect(coordinator.budget()).toMatchObject({ total: 1000, remaining: 98, maxConcurrency: 1 });
	});
});
