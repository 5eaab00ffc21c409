import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseDurationMs, parseShardList, parseSizeBytes } from './parse.js';
import { formatShardIds } from './shards.js';

describe('parseDurationMs', () => {
	it.each([
		['30s', 30_000],
		['500ms', 500],
		['2m', 120_000],
		['1500', 1500],
		[1500, 1500],
		['0', 0],
		['off', Number.POSITIVE_INFINITY],
	])('reads %s', (input, value) => {
		expect(parseDurationMs(input)).toEqual({ value });
	});

	it.each(['', 'soon', '-5s', 'NaN', '5 parsecs', 'Infinitys'])('refuses %j with an example of what it takes', (input) => {
		expect(parseDurationMs(input)).toEqual({ problem: expect.stringContaining('30s') });
	});
});

describe('parseSizeBytes', () => {
	it.each([
		['512MB', 512 * 1024 ** 2],
		['1.5gb', 1.5 * 1024 ** 3],
		['1048576', 1048576],
		[1048576, 1048576],
		['off', Number.POSITIVE_INFINITY],
	])('reads %s', (input, value) => {
		expect(parseSizeBytes(input)).toEqual({ value });
	});

	it.each(['', 'lots', '-1MB', '5 apples'])('refuses %j', (input) => {
		expect(parseSizeBytes(input)).toHaveProperty('problem');
	});
});

describe('parseShardList', () => {
	it('reads ids and ranges, ascending', () => {
		expect(parseShardList('7, 0-3')).toEqual({ value: [0, 1, 2, 3, 7] });
		expect(parseShardList([5, 0])).toEqual({ value: [0, 5] });
	});

	it.each(['', '0-', '3-1', '0,0', '0-2,1', 'a', '-1', '1.5', '0-4294967295', '0-999999999'])('refuses %j', (input) => {
		expect(parseShardList(input)).toHaveProperty('problem');
	});

	it.each([[[]], [[1, 1]], [[-1]], [[1.5]], [[Number.NaN]]])('refuses the array %j', (input) => {
		expect(parseShardList(input)).toHaveProperty('problem');
	});

	it('reads back what formatShardIds writes', () => {
		fc.assert(
			fc.property(fc.uniqueArray(fc.nat(500), { minLength: 1 }), (ids) => {
				const sorted = [...ids].sort((a, b) => a - b);
				expect(parseShardList(formatShardIds(sorted))).toEqual({ value: sorted });
			}),
		);
	});
});
