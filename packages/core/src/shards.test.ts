import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { describeSessions, describeShards, isSnowflake, planSlices, shardIdForGuild } from './shards.js';

describe('shardIdForGuild', () => {
	it('is right for ids above 2^53, where numbers lose digits', () => {
		expect(shardIdForGuild('9223372036854775807', 16)).toBe(Number((9223372036854775807n >> 22n) % 16n));
		expect(shardIdForGuild('197038439483310086', 2)).toBe(Number((197038439483310086n >> 22n) % 2n));
	});

	it('is always one of the shards', () => {
		fc.assert(
			fc.property(fc.bigInt(0n, 2n ** 64n - 1n), fc.integer({ min: 1, max: 5000 }), (id, total) => {
				const shard = shardIdForGuild(id.toString(), total);
				expect(shard).toBeGreaterThanOrEqual(0);
				expect(shard).toBeLessThan(total);
			}),
		);
	});
});

describe('isSnowflake', () => {
	it('accepts decimal ids that fit in 64 bits', () => {
		expect(isSnowflake('197038439483310086')).toBe(true);
		expect(isSnowflake('18446744073709551616')).toBe(false);
		expect(isSnowflake('12a')).toBe(false);
		expect(isSnowflake('')).toBe(false);
	});
});

describe('describeShards', () => {
	it('names shards in ranges, and cuts a long list with gaps', () => {
		expect(describeShards([3])).toBe('shard 3');
		expect(describeShards([0, 1, 2, 3, 7])).toBe('shards 0-3,7');
		expect(describeShards(Array.from({ length: 1000 }, (_, id) => id))).toBe('shards 0-999');
		expect(describeShards(Array.from({ length: 500 }, (_, id) => 2 * id))).toBe(
			'shards 0,2,4,6,8,10,12,14,16,18,20,22,… (500 shards)',
		);
	});
});

it('names sessions', () => {
	expect(describeSessions([3])).toBe('session 3');
	expect(describeSessions([0, 1, 2, 6])).toBe('sessions 0-2,6');
});

describe('planSlices', () => {
	it('divides evenly: ten shards with four per worker are 4 + 3 + 3', () => {
		expect(planSlices([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], 4)).toEqual([
			[0, 1, 2, 3],
			[4, 5, 6],
			[7, 8, 9],
		]);
	});

	it('keeps every shard once, in order, within the limit, and within one of even', () => {
		fc.assert(
			fc.property(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 64 }), (total, perWorker) => {
				const ids = Array.from({ length: total }, (_, i) => i);
				const slices = planSlices(ids, perWorker);
				expect(slices.flat()).toEqual(ids);
				const sizes = slices.map((slice) => slice.length);
				expect(Math.max(...sizes)).toBeLessThanOrEqual(perWorker);
				expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
			}),
		);
	});
});
