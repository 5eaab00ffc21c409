import { describe, expect, it } from 'vitest';
import { duration, size, whole, wholeOrAuto } from './option-parsers.js';

describe('duration', () => {
	it.each([
		['30s', 30_000],
		['500ms', 500],
		['2m', 120_000],
		['1500', 1500],
		['0', 0],
		['off', Number.POSITIVE_INFINITY],
	])('reads %s', (text, value) => {
		expect(duration(text)).toBe(value);
	});

	it.each(['', 'soon', '-5s', 'NaN', '5 parsecs', 'Infinitys'])('refuses %j with an example of what it takes', (text) => {
		expect(() => duration(text)).toThrow(/must be a duration such as .*"30s"/);
	});
});

describe('size', () => {
	it.each([
		['512MB', 512 * 1024 ** 2],
		['1.5gb', 1.5 * 1024 ** 3],
		['1048576', 1048576],
		['off', Number.POSITIVE_INFINITY],
	])('reads %s', (text, value) => {
		expect(size(text)).toBe(value);
	});

	it.each(['', 'lots', '-1MB', '5 apples'])('refuses %j with an example of what it takes', (text) => {
		expect(() => size(text)).toThrow(/must be a size such as "512MB"/);
	});
});

describe('whole numbers', () => {
	it('have a smallest value, or may be "auto"', () => {
		expect([whole(0)('0'), whole(1)('12'), wholeOrAuto('3'), wholeOrAuto('auto')]).toEqual([0, 12, 3, 'auto']);
	});

	it.each(['', '0', '-1', '1.5', 'x', '1e3', '99999999999999999999'])('refuse %j', (text) => {
		expect(() => whole(1)(text)).toThrow(/must be a whole number from 1, got/);
		expect(() => wholeOrAuto(text)).toThrow(/must be a whole number from 1, or "auto", got/);
	});
});
