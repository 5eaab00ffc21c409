import { describe, expect, it } from 'vitest';
import { duration, moment, size, whole, wholeOrAuto } from './option-parsers.js';

describe('duration', () => {
	it.each([
		['30s', 30_000],
		['500ms', 500],
		['2m', 120_000],
		['1500', 1500],
		['0', 0],
		['off', Number.POSITIVE_INFINITY],
	])('parses %s', (text, value) => {
		expect(duration(text)).toBe(value);
	});

	it.each(['', 'soon', '-5s', 'NaN', '5 parsecs', 'Infinitys'])('rejects %j with an example', (text) => {
		expect(() => duration(text)).toThrow(/must be a duration such as .*"30s"/);
	});
});

describe('size', () => {
	it.each([
		['512MB', 512 * 1024 ** 2],
		['1.5gb', 1.5 * 1024 ** 3],
		['1048576', 1048576],
		['off', Number.POSITIVE_INFINITY],
	])('parses %s', (text, value) => {
		expect(size(text)).toBe(value);
	});

	it.each(['', 'lots', '-1MB', '5 apples'])('rejects %j with an example', (text) => {
		expect(() => size(text)).toThrow(/must be a size such as "512MB"/);
	});
});

describe('a point in time', () => {
	it('is a duration ago, or a date', () => {
		expect(Math.abs(moment('10m') - (Date.now() - 600_000))).toBeLessThan(1000);
		expect(moment('2026-11-30T01:00Z')).toBe(Date.UTC(2026, 10, 30, 1));
	});

	it.each(['', 'yesterday', '-5m'])('rejects %j', (text) => {
		expect(() => moment(text)).toThrow(/must be a duration such as "10m" or a time/);
	});
});

describe('whole numbers', () => {
	it('have a minimum, or may be "auto"', () => {
		expect([whole(0)('0'), whole(1)('12'), wholeOrAuto('3'), wholeOrAuto('auto')]).toEqual([0, 12, 3, 'auto']);
	});

	it.each(['', '0', '-1', '1.5', 'x', '1e3', '99999999999999999999'])('reject %j', (text) => {
		expect(() => whole(1)(text)).toThrow(/must be a whole number from 1, got/);
		expect(() => wholeOrAuto(text)).toThrow(/must be a whole number from 1, or "auto", got/);
	});
});
