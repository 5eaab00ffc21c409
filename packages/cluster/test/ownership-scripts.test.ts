// Rules of the scripts that random traces seldom reach, each by itself on a real Redis whose time and run_id are the test's.
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { commonArguments } from '../src/lease/renewal-wire.js';
import { timingsFor } from '../src/lease/timings.js';
import type { IoredisPort } from '../src/redis/ioredis-port.js';
import { clusterKeys } from '../src/redis/keys.js';
import type { RedisArgument, RedisScript } from '../src/redis/redis-port.js';
import { ownershipScripts } from '../src/scripts/ownership-scripts.js';
import { clusterView } from '../src/table/cluster-view.js';
import { connectTo, describeWithRedis, type RedisServer, redisServer } from './support/redis-server.js';

const timings = timingsFor();
const start = 1_700_000_000_000;
const keys = clusterKeys('scripts');
const all = [keys.engine, keys.nodes, keys.table, keys.members, keys.records];
const scripts = ownershipScripts({
	time: "local now = tonumber(redis.call('GET', 'test:time'))",
	runId: "local runId = redis.call('GET', 'test:run')",
});

describeWithRedis('single rules of the ownership scripts', () => {
	let server: RedisServer;
	let redis: IoredisPort;
	let now = start;
	let nonces = 0;
	beforeAll(async () => {
		server = await redisServer();
		redis = await connectTo(server);
	});
	afterAll(async () => {
		await redis?.close();
		await server?.close();
	});
	beforeEach(async () => {
		await redis.batch([['FLUSHALL'], ['SET', 'test:run', 'first']]);
		now = start;
		await redis.batch([['SET', 'test:time', now]]);
	});

	const advance = async (ms: number) => {
		now += ms;
		await redis.batch([['SET', 'test:time', now]]);
	};
	const run = async (script: RedisScript, identity: string, args: readonly RedisArgument[]) =>
		(await redis.script(script, all, [...commonArguments(identity, timings, `nonce${++nonces}`), ...args])) as [
			string,
			...unknown[],
		];
	/** A renewal with these sessions as [id, epoch, hold]. */
	const renew = (node: string, identity: string, sessions: readonly [number, number, number][] = [], unlapsed = true) =>
		run(scripts.renew, identity, [node, 1, unlapsed ? 1 : 0, '', ...sessions.flat()]);
	const apply = (identity: string, version: number, change: object) =>
		run(scripts.apply, identity, [version, 1, timings.takeMarginMs, JSON.stringify([change])]);
	const learn = async (): Promise<string> => (await renew('a', ''))[1] as string;
	/** The node renews for this long, so that there is no gap in which no script ran. */
	const pass = async (ms: number, identity: string, node = 'a') => {
		for (let left = ms; left > 0; left -= 1000) {
			await advance(Math.min(1000, left));
			await renew(node, identity);
		}
	};
	const versionNow = async () =>
		Number(((await redis.batch([['HGET', keys.table, 'version']]))[0] as Buffer | null)?.toString() ?? 0);

	it('refuse a plan from before another engine, also when its version fits again [stale-plan]', async () => {
		const old = await learn();
		await pass(timings.quietMs, old);
		await redis.batch([['FLUSHALL'], ['SET', 'test:run', 'second'], ['SET', 'test:time', now]]);
		const next = await learn();
		await pass(timings.quietMs, next);
		expect(await apply(old, await versionNow(), { op: 'assign', session: 0, to: 'a' })).toEqual(['ENGINE', next]);
		expect(await apply(next, await versionNow(), { op: 'assign', session: 0, to: 'a' })).toMatchObject([
			'OK',
			1,
			['done', String(now)],
		]);
	});

	it('write down how far a resharding is only if the table is the one that was read, and keep it when every node has left', async () => {
		const identity = await learn();
		await pass(timings.quietMs + 1, identity);
		const version = await versionNow();
		expect(await apply(identity, version, { op: 'reshard', entry: '{"id":1}' })).toMatchObject([
			'OK',
			version + 1,
			['done', '0'],
		]);
		expect(await apply(identity, version, { op: 'reshard', entry: '{"id":2}' })).toEqual(['STALE', version + 1]);
		await run(scripts.leave, identity, ['a']);
		expect(clusterView(await redis.script(scripts.read, all, []))).toMatchObject({ layout: undefined, reshard: '{"id":1}' });
	});

	it('see a new engine after FLUSHALL, whose run_id is the old one, each time', async () => {
		const identities = new Set([await learn()]);
		for (let flushed = 1; flushed <= 3; flushed++) {
			await redis.batch([['FLUSHALL'], ['SET', 'test:run', 'first'], ['SET', 'test:time', now]]);
			identities.add(await learn());
			expect(identities.size).toBe(flushed + 1);
		}
	});

	it('refuse the writes of a former engine, of an owner not yet confirmed, and of another owner', async () => {
		const old = await learn();
		await pass(timings.quietMs, old);
		await apply(old, 0, { op: 'assign', session: 0, to: 'a' });
		const epoch = now;
		const save = (identity: string, by = 'a', number = epoch) => run(scripts.saveRecord, identity, [by, 0, number, '{}']);
		expect(await save(old)).toEqual(['OK']);
		await redis.batch([['SET', 'test:run', 'second']]);
		const next = await learn();
		expect(await save(next)).toEqual(['UNSURE']);
		await renew('a', next, [[0, epoch, 0]]);
		expect(await save(next)).toEqual(['OK']);
		expect(await save(old)).toEqual(['ENGINE', next]);
		expect(await save(next, 'b')).toEqual(['FENCED', 'a', String(epoch)]);
		expect(await save(next, 'a', epoch - 1)).toEqual(['FENCED', 'a', String(epoch)]);
	});

	it('accept no claim once the quiet period is over [claim-zombie]', async () => {
		const identity = await learn();
		const announced = await renew('a', identity, [[0, start - 5, 0]]);
		expect(announced[5]).toEqual(['0', String(start - 5)]);
		await pass(timings.quietMs, identity, 'b');
		expect((await renew('b', identity, [[1, start - 3, 0]]))[5]).toEqual(['1', 'none']);
	});

	it('take over neither before the margin behind the deadline nor when the owner has renewed since it was looked at', async () => {
		const identity = await learn();
		await pass(timings.quietMs, identity, 'b');
		await apply(identity, 0, { op: 'assign', session: 0, to: 'a' });
		const renewals = async () => Number(((await redis.batch([['HGET', keys.nodes, 'c:a']]))[0] as Buffer).toString());
		await renew('a', identity);
		const take = async (seen: number) =>
			(
				(await apply(identity, await versionNow(), { op: 'take', session: 0, from: 'a', renewals: seen, to: 'b' }))[2] as string[]
			)[0];
		await pass(timings.leaseMs + timings.takeMarginMs - 1, identity, 'b');
		expect(await take(await renewals())).toBe('lease');
		await advance(1);
		expect(await take((await renewals()) - 1)).toBe('renewed');
		expect(await take(await renewals())).toBe('done');
	});

	it('refuse a hand-over that arrives after the owner has taken back [takeback-asks]', async () => {
		const identity = await learn();
		await pass(timings.quietMs, identity, 'b');
		await apply(identity, 0, { op: 'assign', session: 0, to: 'a' });
		const epoch = now;
		await apply(identity, 1, { op: 'move', session: 0, from: 'a', to: 'b' });
		expect(await run(scripts.prepared, identity, ['b', 0, epoch])).toEqual(['OK']);
		expect((await renew('a', identity, [[0, epoch, 1]]))[5]).toEqual(['0', String(epoch + 1)]);
		expect(await run(scripts.handOver, identity, ['a', 0, epoch, '{}'])).toEqual(['FENCED', 'a', String(epoch + 1)]);
	});

	it('allow a name to be used by one live node only, and a cluster have one layout', async () => {
		const identity = await learn();
		const join = (node: string, name: string, layout = '4 of 4') =>
			run(scripts.join, identity, [node, name, layout, '{}', JSON.stringify({ name, pid: 7 })]);
		expect(await join('a', 'one')).toEqual(['OK']);
		expect(await join('b', 'one')).toEqual(['NAME', 'a', '{"name":"one","pid":7}']);
		expect(await join('b', 'two', '8 of 8')).toEqual(['LAYOUT', '4 of 4', '{"name":"one","pid":7}']);
		await pass(timings.leaseMs + 1, identity, 'c');
		expect(await join('b', 'one')).toEqual(['OK']);
		expect(await run(scripts.leave, identity, ['b'])).toEqual(['OK']);
	});

	it('(33) carry out the plan of one planner where two have planned from the same table', async () => {
		const identity = await learn();
		await pass(timings.quietMs, identity, 'b');
		const version = await versionNow();
		const assign = (to: string) => apply(identity, version, { op: 'assign', session: 0, to });
		expect((await assign('a'))[0]).toBe('OK');
		expect(await assign('b')).toEqual(['STALE', version + 1]);
	});

	it.each([
		['an hour on', 3_600_000],
		['2.5 s on', 2500],
		['an hour back', -3_600_000],
	])(
		'(18) take nothing over and keep every holder when the clock of Redis is set %s, and expire nodes in time after it',
		async (_, step) => {
			const identity = await learn();
			await pass(timings.quietMs, identity, 'b');
			await apply(identity, 0, { op: 'assign', session: 0, to: 'a' });
			const epoch = now;
			await renew('a', identity, [[0, epoch, 0]]);
			await advance(step);
			const renewals = Number(((await redis.batch([['HGET', keys.nodes, 'c:a']]))[0] as Buffer).toString());
			const take = { op: 'take', session: 0, from: 'a', renewals, to: 'b' };
			expect((await apply(identity, await versionNow(), take))[2]).toEqual(['quiet', '0']);
			expect((await renew('a', identity, [[0, epoch, 0]]))[5]).toEqual(['0', String(epoch)]);
			// It dies now: its session is free to take when its lease and the quiet period are over, by the clock as it is now.
			await pass(Math.max(timings.leaseMs + timings.takeMarginMs, timings.quietMs), identity, 'b');
			const [, , outcomes] = (await apply(identity, await versionNow(), { ...take, renewals: renewals + 1 })) as [
				string,
				number,
				string[],
			];
			expect(outcomes[0]).toBe('done');
		},
	);

	it('(23) renew the lease of a node also when Redis has no memory left', async () => {
		const identity = await learn();
		await redis.batch([['CONFIG', 'SET', 'maxmemory', '1mb']]);
		try {
			expect((await renew('a', identity))[0]).toBe('OK');
			await expect(run(scripts.saveRecord, identity, ['a', 0, 1, '{}'])).rejects.toMatchObject({
				code: 'REDIS_REFUSED',
				details: { reply: 'OOM' },
			});
		} finally {
			await redis.batch([['CONFIG', 'SET', 'maxmemory', '0']]);
		}
	});
});
