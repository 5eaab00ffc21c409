import { expect, it } from 'vitest';
import { timingsFor } from '../lease/timings.js';
import { clusterKeys } from '../redis/keys.js';
import type { RedisArgument, RedisPort } from '../redis/redis-port.js';
import { RedisSnapshotStore } from './redis-snapshot-store.js';

it('appends behind what it has read, so that a part that Redis loses after that is noticed', async () => {
	const pieces = [Buffer.from('head'), Buffer.from('one'), Buffer.from('two')];
	const appended: RedisArgument[][] = [];
	const redis: Pick<RedisPort, 'batch' | 'script'> = {
		batch: async (commands) =>
			commands.map(([name, , from, to]) => {
				if (name === 'LRANGE') return pieces.slice(Number(from), Number(to) + 1);
				return name === 'LLEN' ? pieces.length : Buffer.from('v1');
			}),
		script: async (_script, _keys, args) => {
			appended.push(args.slice(10, 13));
			return ['GAP', 'v1', String(pieces.length)];
		},
	};
	const store = new RedisSnapshotStore({ redis: redis as RedisPort, keys: clusterKeys('1'), scope: '0' });
	expect(String(await store.read('journal'))).toBe('headonetwo');
	// A failover.
	pieces.pop();
	await expect(store.append('journal', Buffer.from('three'), '1')).rejects.toMatchObject({ code: 'SNAPSHOT_INVALID' });
	expect(appended).toEqual([['journal', 'v1', 3]]);
});

it.each([
	[1500, 750],
	[6000, 3000],
	[60_000, 3000],
])('gives up a write without an answer early enough to make it again within a lease of %i ms', async (leaseMs, expected) => {
	const timeouts: unknown[] = [];
	const redis: Pick<RedisPort, 'script'> = {
		script: async (_script, _keys, _args, options) => {
			timeouts.push(options?.timeoutMs);
			return ['OK', 'v1'];
		},
	};
	const store = new RedisSnapshotStore({
		redis: redis as RedisPort,
		keys: clusterKeys('1'),
		scope: '0',
		guard: { node: 'a', session: 0, timings: timingsFor({ leaseMs }), identity: () => 'engine' },
	});
	await store.write('shard', Buffer.from('data'), '1');
	expect(timeouts).toEqual([expected]);
});

it('reports each part of a write that Redis has answered, before it asks for the next', async () => {
	const happened: string[] = [];
	const redis: Pick<RedisPort, 'script'> = {
		script: async () => {
			happened.push('asked');
			return ['OK', 'v1'];
		},
	};
	const store = new RedisSnapshotStore({ redis: redis as RedisPort, keys: clusterKeys('1'), scope: '0' });
	await store.write('shard', Buffer.alloc(2 * 1024 * 1024), '1', () => happened.push('answered'));
	expect(happened).toEqual(['asked', 'answered', 'asked', 'answered', 'asked']);
});
