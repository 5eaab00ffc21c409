import { expect, it } from 'vitest';
import { plainJson } from './plain-json.js';

it.each([
	['BigInt', { id: 5n }, { id: '5' }],
	['Set', new Set([1, new Set([2])]), [1, [2]]],
	['Map with texts as keys', new Map([['a', 1]]), { a: 1 }],
	['Map with other keys', new Map([[1, 'a']]), [[1, 'a']]],
	['Date', { at: new Date(0) }, { at: '1970-01-01T00:00:00.000Z' }],
	['NaN', [Number.NaN], [null]],
	['undefined', undefined, null],
	['a function', () => 1, null],
])('converts %s to plain JSON', (_, value, plain) => {
	expect(plainJson(value)).toEqual(plain);
});
