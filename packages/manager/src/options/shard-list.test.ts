import { formatShardIds } from '@shardctl/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseShardList } from './shard-list.js';

describe('parseShardList', () => {
	it('parses ids and ranges, ascending', () => {
		expect(parseShardList('7, 0-3')).toEqual({ value: [0, 1, 2, 3, 7] });
		expect(parseShardList([5, 0])).toEqual({ value: [0, 5] });
	});

	it.each(['', '0-', '3-1', '0,0', '0-2,1', 'a', '-1', '1.5', '0-4294967295', '0-999999999'])('rejects %j', (input) => {
		expect(parseShardList(input)).toHaveProperty('problem');
	});

	it.each([[[]], [[1, 1]], [[-1]], [[1.5]], [[Number.NaN]]])('rejects the array %j', (input) => {
		expect(parseShardList(input)).toHaveProperty('problem');
	});

	it('parses what formatShardIds writes', () => {
		fc.assert(
			fc.property(fc.uniqueArray(fc.nat(500), { minLength: 1 }), (ids) => {
				const sorted = [...ids].sort((a, b) => a - b);
				expect(parseShardList(formatShardIds(sorted))).toEqual({ value: sorted });
			}),
		);
	});
});
