// The snapshot store on a real Redis: the suite of every store, and what only a store with an engine that can be replaced has to do.
import { describeSnapshotStore } from '@shardctl/contract-suites';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { timingsFor } from '../src/lease/timings.js';
import type { IoredisPort } from '../src/redis/ioredis-port.js';
import { clusterKeys } from '../src/redis/keys.js';
import { RedisSnapshotStore } from '../src/snapshots/redis-snapshot-store.js';
import { connectTo, describeWithRedis, type RedisServer, redisServer } from './support/redis-server.js';

describeWithRedis('the snapshot store in Redis', () => {
	let server: RedisServer;
	let redis: IoredisPort;
	let scopes = 0;
	beforeAll(async () => {
		server = await redisServer();
		redis = await connectTo(server);
	});
	afterAll(async () => {
		await redis?.close();
		await server?.close();
	});
	const keys = clusterKeys('snapshots');
	const open = (scope: string) => new RedisSnapshotStore({ redis, keys, scope });

	describeSnapshotStore('Redis', () => {
		const scope = `scope${++scopes}`;
		return () => open(scope);
	});

	it('(45) serves the older version while a newer one is half written, also after its writer is gone', async () => {
		const [dies, next] = [open('half'), open('half')];
		await dies.write('a', Buffer.from('older'), '1');
		// The first pieces arrive, and the connection is gone before the switch.
		await expect(dies.write('a', [Buffer.alloc(2_000_000, 7), undefined as unknown as Uint8Array], '1')).rejects.toThrow(
			/length/,
		);
		expect(((await redis.batch([['KEYS', `${keys.snapshotData('half')}*`]]))[0] as Buffer[]).length).toBe(2);
		expect(Buffer.from((await next.read('a')) as Uint8Array).toString()).toBe('older');
		await next.write('a', Buffer.from('newer'), '2');
		expect(Buffer.from((await next.read('a')) as Uint8Array).toString()).toBe('newer');
	});

	it('keeps large content in pieces, and leaves nothing of what it replaced or did not finish', async () => {
		const store = open('large');
		const parts = [Buffer.alloc(700_000, 1), Buffer.alloc(3, 2), Buffer.alloc(300_000, 3)];
		await store.write('a', [Buffer.from('before')], '1');
		await store.write('a', parts, '1');
		const read = await store.read('a');
		expect(Buffer.compare(Buffer.from(read as Uint8Array), Buffer.concat(parts))).toBe(0);
		const [found] = (await redis.batch([['KEYS', `${keys.snapshotData('large')}*`]])) as [Buffer[]];
		expect(found).toHaveLength(1);
		const [expiry] = await redis.batch([['PTTL', found[0] as Buffer]]);
		expect(expiry).toBe(-1);
	});

	it('refuses an append where Redis has lost an earlier one, until the content is written again', async () => {
		const store = open('gap');
		const list = async () => (await redis.batch([['KEYS', `${keys.snapshotData('gap')}journal:*`]]))[0] as Buffer[];
		await store.write('journal', Buffer.from('head,'), '1');
		await store.append('journal', Buffer.from('one,'), '1');
		await store.append('journal', Buffer.from('two,'), '1');
		// What a failover to a replica that was behind does.
		await redis.batch([['RPOP', (await list())[0] as Buffer]]);
		await expect(store.append('journal', Buffer.from('three,'), '1')).rejects.toMatchObject({ code: 'SNAPSHOT_INVALID' });
		await expect(store.append('journal', Buffer.from('four,'), '1')).rejects.toMatchObject({ code: 'SNAPSHOT_INVALID' });
		await store.write('journal', Buffer.from('head,'), '1');
		await store.append('journal', Buffer.from('five,'), '1');
		expect(Buffer.from((await store.read('journal')) as Uint8Array).toString()).toBe('head,five,');
	});

	it('reads what it has kept once more where that is still there, with what was appended, and all of it where it is another', async () => {
		const [owner, next] = [open('kept'), open('kept')];
		const text = async (options?: { keep: boolean }) => Buffer.from((await next.read('journal', options)) ?? []).toString();
		const list = async () => (await redis.batch([['KEYS', `${keys.snapshotData('kept')}journal:*`]]))[0] as Buffer[];
		await owner.write('journal', Buffer.from('head,'), '1');
		await owner.append('journal', Buffer.from('one,'), '1');
		expect(await text({ keep: true })).toBe('head,one,');
		await owner.append('journal', Buffer.from('two,'), '1');
		expect(await text({ keep: true })).toBe('head,one,two,');
		// A failover of Redis has lost an append, and the owner after it has added another.
		await redis.batch([['RPOP', (await list())[0] as Buffer]]);
		await open('kept').append('journal', Buffer.from('three,'), '2');
		expect(await text({ keep: true })).toBe('head,one,three,');
		await redis.batch([['RPOP', (await list())[0] as Buffer]]);
		expect(await text({ keep: true })).toBe('head,one,');
		await open('kept').write('journal', Buffer.from('other,'), '2');
		expect(await text({ keep: true })).toBe('other,');
		expect(await text()).toBe('other,');
		await open('kept').remove('journal', '2');
		expect(await next.read('journal', { keep: true })).toBeUndefined();
	});

	it('refuses the writes of a node that does not own the session, or that another engine has not confirmed', async () => {
		const epoch = 1_700_000_000_000;
		const own = clusterKeys('guarded');
		let identity = '';
		const guard = { node: 'a', session: 3, timings: timingsFor(), identity: () => identity };
		const store = new RedisSnapshotStore({ redis, keys: own, scope: '3', guard });
		// Any script teaches Redis its identity.
		await expect(store.write('a', Buffer.from('x'), String(epoch))).rejects.toMatchObject({ code: 'REDIS_REFUSED' });
		const [known] = (await redis.batch([['HGET', own.engine, 'identity']])) as [Buffer];
		identity = known.toString();
		const owned = async (owner: string, number: number, sure = identity) => {
			await redis.batch([['HSET', own.table, 's:3', `${owner} ${number} held - ${sure}`]]);
		};
		await owned('a', epoch);
		await store.write('a', Buffer.from('mine'), String(epoch));
		await owned('b', epoch + 1);
		await expect(store.write('a', Buffer.from('late'), String(epoch))).rejects.toMatchObject({ code: 'FENCED' });
		await owned('a', epoch, 'another engine');
		await expect(store.append('a', Buffer.from('late'), String(epoch))).rejects.toMatchObject({ code: 'REDIS_REFUSED' });
		expect(Buffer.from((await store.read('a')) as Uint8Array).toString()).toBe('mine');
	});
});
