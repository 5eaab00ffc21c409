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

	it('names the part that has no value to read from', () => {
		expect(() => readPath(client, 'user.id')).toThrow(
			new TypeError('cannot read "user.id" from the client: client.user is null'),
		);
		expect(() => readPath(client, 'a.b.c')).toThrow('client.a is undefined');
	});
});
