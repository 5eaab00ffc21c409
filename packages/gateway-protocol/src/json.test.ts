import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseJsonKeepingIds } from './json.js';

test('long whole numbers become strings, wherever they stand', () => {
	expect(parseJsonKeepingIds('{"a":1300000000000000001,"b":[1300000000000000001, 5],"c":1.5}')).toEqual({
		a: '1300000000000000001',
		b: ['1300000000000000001', 5],
		c: 1.5,
	});
});

test('nothing inside strings is touched', () => {
	const text = JSON.stringify({ a: 'x":1300000000000000001,"', b: '\\', c: ' 1300000000000000001' });
	expect(parseJsonKeepingIds(text)).toEqual(JSON.parse(text));
});

test('JSON without long numbers is what JSON.parse makes of it', () => {
	const short = fc.json().filter((text) => !/\d{16}/.test(text));
	fc.assert(
		fc.property(short, (text) => {
			expect(parseJsonKeepingIds(text)).toEqual(JSON.parse(text));
		}),
	);
});

test.each(['{', '{"a":13000000000000000011300000000000000001', '01300000000000000001x'])('%s is no JSON', (text) => {
	expect(() => parseJsonKeepingIds(text)).toThrow(/JSON/);
});
