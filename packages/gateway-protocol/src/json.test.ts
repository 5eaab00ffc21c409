import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseJsonKeepingIds } from './json.js';

test('long integers become strings, at any depth', () => {
	expect(parseJsonKeepingIds('{"a":1300000000000000001,"b":[1300000000000000001, 5],"c":1.5}')).toEqual({
		a: '1300000000000000001',
		b: ['1300000000000000001', 5],
		c: 1.5,
	});
});

test('strings are left unchanged', () => {
	const text = JSON.stringify({ a: 'x":1300000000000000001,"', b: '\\', c: ' 1300000000000000001' });
	expect(parseJsonKeepingIds(text)).toEqual(JSON.parse(text));
});

test('JSON without long numbers is parsed as by JSON.parse', () => {
	const short = fc.json().filter((text) => !/\d{16}/.test(text));
	fc.assert(
		fc.property(short, (text) => {
			expect(parseJsonKeepingIds(text)).toEqual(JSON.parse(text));
		}),
	);
});

test.each(['{', '{"a":13000000000000000011300000000000000001', '01300000000000000001x'])('rejects %s', (text) => {
	expect(() => parseJsonKeepingIds(text)).toThrow(/JSON/);
});
