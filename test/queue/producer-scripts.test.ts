// What the writer of a shard's events does in Redis, on a real Redis: each event once, in order, by one process at a time.
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { IoredisPort } from '../../packages/cluster/src/redis/ioredis-port.js';
import { connectTo, describeWithRedis, type RedisServer, redisServer } from '../../packages/cluster/test/support/redis-server.js';
import { producerScripts } from '../../packages/queue/src/scripts/producer-scripts.js';
import { queueKeys } from '../../packages/queue/src/wire/keys.js';

const keys = queueKeys('1');
const { claim, append, removeHandled } = producerScripts();

describeWithRedis('the scripts of the writer of the event queue', () => {
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
	beforeEach(async () => {
		await redis.batch([['FLUSHALL']]);
	});

	const take = async (epoch = 0, perShard = 2, ...confirmed: number[]) =>
		(await redis.script(claim, [keys.record(0), keys.meta], [epoch, 1, perShard, ...confirmed])) as string[];

	/** `partition:number`, such as `0:5`. Without the events of each stream. */
	const write = async (...args: Parameters<typeof append4>) => (await append4(...args)).slice(0, 3);
	const append4 = async (epoch: string, session: string, follows: number, ...events: string[]) =>
		redis.script(
			append,
			[keys.record(0), keys.events(0), keys.events(1)],
			[
				epoch,
				session,
				follows,
				1000,
				keys.bell,
				...events.flatMap((event) => {
					const [partition = '', seq = ''] = event.split(':');
					return [Number(partition) + 1, seq, `MESSAGE_CREATE ${seq} ${session} 10`, `{"n":${seq}}`];
				}),
			],
		) as Promise<unknown[]>;

	async function stream(partition: number): Promise<string[]> {
		const [entries] = (await redis.batch([['XRANGE', keys.events(partition), '-', '+']])) as [[Buffer, Buffer[]][]];
		return entries.map(([, fields]) => {
			const [n, , seq, session] = String(fields[1]).split(' ');
			return `${n} ${session}:${seq}`;
		});
	}

	it('append each event once, numbered in its partition, whatever is sent again', async () => {
		const [kind, epoch = '', session, last] = await take();
		expect([kind, session, last]).toEqual(['OK', '', '0']);
		expect(await write(epoch, 'a', 0, '0:1', '1:2', '0:3')).toEqual(['OK', '3', 3]);
		expect(await write(epoch, 'a', 0, '1:2', '0:3', '0:5')).toEqual(['OK', '5', 1]);
		expect(await write(epoch, 'a', 5, '0:4')).toEqual(['OK', '5', 0]);
		expect([await stream(0), await stream(1)]).toEqual([['1 a:1', '2 a:3', '3 a:5'], ['1 a:2']]);
		expect((await take()).slice(2, 4)).toEqual(['a', '5']);
	});

	it('refuse events that follow what is not there', async () => {
		const [, epoch = ''] = await take();
		await write(epoch, 'a', 0, '0:1');
		expect(await write(epoch, 'a', 2, '0:3')).toEqual(['GAP', '1']);
		expect(await write(epoch, 'a', 1, '0:2')).toEqual(['OK', '2', 1]);
		expect(await stream(0)).toEqual(['1 a:1', '2 a:2']);
	});

	it('know the events of the session before, which Discord may repeat', async () => {
		const [, epoch = ''] = await take();
		await write(epoch, 'a', 0, '0:1', '0:2');
		await write(epoch, 'b', 0, '0:1');
		expect(await write(epoch, 'a', 0, '0:2', '0:3')).toEqual(['OK', '3', 1]);
		expect(await write(epoch, 'b', 1, '0:2')).toEqual(['OK', '2', 1]);
		expect(await stream(0)).toEqual(['1 a:1', '2 a:2', '3 b:1', '4 a:3', '5 b:2']);
	});

	it('refuse a process when another has taken its place', async () => {
		const [, first = ''] = await take();
		const [, second = ''] = await take();
		expect(Number(second)).toBeGreaterThan(Number(first));
		expect(await write(first, 'a', 0, '0:1')).toEqual(['FENCED', second]);
		expect(await take(Number(first))).toEqual(['FENCED', second]);
		expect(await write(second, 'a', 0, '0:1')).toEqual(['OK', '1', 1]);
	});

	it('say how many events each stream has had, and continue to count behind those that Redis has lost', async () => {
		const [, epoch = '', , , isNew] = await take();
		expect(isNew).toBe(-1);
		expect(await append4(epoch, 'a', 0, '1:1', '1:2')).toEqual(['OK', '2', 2, [0, 2]]);
		expect(await append4(epoch, 'a', 2, '0:3', '1:4')).toEqual(['OK', '4', 2, [1, 3]]);
		expect((await take(Number(epoch), 2, 0, 1, 1, 3)).at(-1)).toBe(0);
		// With "appendfsync everysec" the last ones may be gone after a restart.
		await redis.batch([['HSET', keys.record(0), 'n:1', '1', 'last', '2']]);
		expect((await take(Number(epoch), 2, 0, 1, 1, 3)).at(-1)).toBe(2);
		expect(await append4(epoch, 'a', 0, '1:5')).toEqual(['OK', '5', 1, [0, 4]]);
		await redis.batch([['FLUSHALL']]);
		expect((await take(Number(epoch), 2, 0, 1, 1, 4)).at(-1)).toBe(-1);
		expect(await append4(epoch, 'a', 0, '0:6', '1:7')).toEqual(['OK', '7', 2, [2, 5]]);
	});

	it('make room of what every group has handled, and of nothing else', async () => {
		const [, epoch = ''] = await take();
		const events = (from: number, count: number) => Array.from({ length: count }, (_, n) => `0:${from + n}`);
		await write(epoch, 'a', 0, ...events(1, 300));
		const length = async () => Number((await redis.batch([['XLEN', keys.events(0)]]))[0]);
		const room = async () => Number(await redis.script(removeHandled, [keys.events(0), keys.events(1)], []));
		// Nobody has said what is needed.
		expect(await room()).toBe(0);
		const read = (group: string, count: number) =>
			redis.batch([['XREADGROUP', 'GROUP', group, 'm', 'COUNT', count, 'STREAMS', keys.events(0), '>']]);
		await redis.batch(['a', 'b'].map((group) => ['XGROUP', 'CREATE', keys.events(0), group, '0']));
		await read('a', 300);
		const [page] = (await redis.batch([['XRANGE', keys.events(0), '-', '+']])) as [[Buffer][]];
		const ids = page.map(([id]) => id.toString());
		await redis.batch([['XACK', keys.events(0), 'a', ...ids.slice(0, 250)]]);
		expect([await room(), await length()]).toEqual([0, 300]);
		await read('b', 280);
		await redis.batch([['XACK', keys.events(0), 'b', ...ids.slice(0, 280)]]);
		// Whole blocks of the stream are removed.
		const kept = async () => {
			const [left] = (await redis.batch([['XRANGE', keys.events(0), '-', '+']])) as [[Buffer][]];
			return left.map(([id]) => id.toString());
		};
		expect(await room()).toBeGreaterThan(100);
		expect(await kept()).toEqual(expect.arrayContaining(ids.slice(250)));
		await redis.batch([['XACK', keys.events(0), 'a', ...ids]]);
		await room();
		// What group b has not read.
		expect(await kept()).toEqual(expect.arrayContaining(ids.slice(280)));
	});

	it('say that Redis has no record, and take the epoch of the lease of a node', async () => {
		expect(await write('5', 'a', 0, '0:1')).toEqual(['FENCED', '0']);
		expect((await take(7)).slice(0, 2)).toEqual(['OK', '7']);
		expect((await take(7)).slice(0, 2)).toEqual(['OK', '7']);
	});

	it('refuse a fleet that divides the events in another way', async () => {
		await take();
		expect(await take(0, 3)).toEqual(['LAYOUT', '1', '2']);
	});

	it('ring the bell with the partitions that have something new', async () => {
		const [, epoch = ''] = await take();
		const rung: string[] = [];
		const leave = await redis.subscribe(keys.bell, (message) => rung.push(message.toString()));
		await write(epoch, 'a', 0, '1:1');
		await write(epoch, 'a', 0, '1:1');
		await write(epoch, 'a', 0, '0:2', '1:3');
		await expect.poll(() => rung).toEqual(['1', '0,1']);
		await leave();
	});
});
