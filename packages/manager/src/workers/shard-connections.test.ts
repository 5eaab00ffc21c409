import { fakeClock } from '@shardctl/test-support';
import { expect, it } from 'vitest';
import { ShardConnections } from './shard-connections.js';

function connections() {
	const clock = fakeClock();
	return { clock, shards: new ShardConnections([4, 5], clock) };
}

it('is ready when every shard is', () => {
	const { shards } = connections();
	expect(shards.areReady).toBe(false);
	shards.set(4, 'ready');
	expect(shards.areReady).toBe(false);
	shards.set(5, 'ready');
	expect(shards.areReady).toBe(true);
	shards.set(4, 'reconnecting');
	expect(shards.areReady).toBe(false);
});

it('reports whether a shard waits for its slot', () => {
	const { shards } = connections();
	expect(shards.isAnyWaiting).toBe(false);
	shards.set(5, 'waiting');
	expect(shards.isAnyWaiting).toBe(true);
	shards.set(5, 'identifying');
	expect(shards.isAnyWaiting).toBe(false);
});

it('dates a status from its beginning, not from the last report of it', async () => {
	const { clock, shards } = connections();
	expect(shards.since(4)).toBeUndefined();
	shards.set(4, 'waiting');
	const began = clock.now();
	await clock.advance(500);
	shards.set(4, 'waiting');
	expect(shards.since(4)).toBe(began);
	shards.set(4, 'ready');
	expect(shards.since(4)).toBe(began + 500);
});

it('keeps the close code until the shard is ready again', () => {
	const { shards } = connections();
	expect([shards.of(4), shards.closeCode(4)]).toEqual(['none', null]);
	shards.set(4, 'reconnecting', 4000);
	shards.set(4, 'waiting');
	expect(shards.closeCode(4)).toBe(4000);
	shards.set(4, 'disconnected', 4014);
	expect(shards.closeCode(4)).toBe(4014);
	shards.set(4, 'ready');
	expect(shards.closeCode(4)).toBeNull();
});
