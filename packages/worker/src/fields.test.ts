import { expect, it } from 'vitest';
import { field, hasMethods } from './fields.js';

it('reads fields of a value that may be no object', () => {
	expect(field({ a: 1 }, 'a')).toBe(1);
	for (const nothing of [null, undefined, 'text', 5]) expect(field(nothing, 'length')).toBeUndefined();
	expect(hasMethods(new Map(), 'get', 'set')).toBe(true);
	expect(hasMethods(new Map(), 'get', 'size')).toBe(false);
	expect(hasMethods(null, 'get')).toBe(false);
});
