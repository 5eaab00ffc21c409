import { shardIdForGuild } from '@shardctl/core';
import { expect, it } from 'vitest';
import { partitionCount, partitionOf, queueLayout, shardOfPartition } from './partitions.js';

it('has enough partitions for many workers, and one for each shard at least', () => {
	expect([1, 2, 8, 16, 100, 128, 1000].map((shards) => partitionCount(queueLayout(shards)))).toEqual([
		16, 32, 128, 128, 100, 128, 1000,
	]);
});

it('puts each guild in one partition of its shard, and fills all of them', () => {
	for (const shards of [1, 3, 8, 16]) {
		const layout = queueLayout(shards);
		const used = new Set<number>();
		for (let n = 0; n < 6 * partitionCount(layout); n++) {
			const id = String(BigInt(n) << 22n);
			const shard = shardIdForGuild(id, shards);
			const partition = partitionOf(shard, id, layout);
			expect(shardOfPartition(partition, layout)).toBe(shard);
			used.add(partition);
		}
		expect(used.size).toBe(partitionCount(layout));
	}
});

it('puts any id in a partition of the shard', () => {
	for (let n = 0n; n < 500n; n++) {
		const id = (n * 0x9e37_79b9_7f4a_7c15n) & ((1n << 64n) - 1n);
		const shards = 1 + Number(n % 64n);
		const layout = queueLayout(shards);
		const shard = Number(n) % shards;
		const expected = shard * layout.perShard + Number(((id >> 22n) / BigInt(shards)) % BigInt(layout.perShard));
		expect(partitionOf(shard, String(id), layout)).toBe(expected);
	}
	expect(partitionOf(2, null, queueLayout(4))).toBe(32);
});
