import { describe, expect, it } from 'vitest';
import { readPath } from './property-path.js';

describe('readPath', () => {
	const client = { guilds: { cache: new Map([['1', 'a']]) }, user: null, zero: 0 };

	it('reads along the path, getters included', () => {
		expect(readPath(client, 'guilds.cache.size')).toBe(1);
		expect(readPath(client, 'zero')).toBe(0);
		expect(readPath(client, 'user')).toBeNull();
		expect(readPath(client, 'missing')).toBeUndefined();
	});

	it('reads more paths than it keeps, each by its own keys', () => {
		const numbers = { at: Array.from({ length: 1200 }, (_, index) => index) };
		for (const index of numbers.at) expect(readPath(numbers, `at.${index}`)).toBe(index);
		expect(readPath(numbers, 'at.0')).toBe(0);
	});

	it('names the part that has no value to read from', () => {
		expect(() => readPath(client, 'user.id')).toThrow(
			new TypeError('cannot read "user.id" from the client: client.user is null'),
		);
		expect(() => readPath(client, 'a.b.c')).toThrow('client.a is undefined');
	});
});
