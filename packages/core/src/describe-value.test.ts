import { expect, it } from 'vitest';
import { describeValue } from './describe-value.js';

const circular: Record<string, unknown> = {};
circular.self = circular;

it.each<[unknown, string]>([
	['1', '"1"'],
	[null, 'null'],
	[undefined, 'undefined'],
	[Number.NaN, 'NaN'],
	[5n, '5n'],
	[Symbol('x'), 'Symbol(x)'],
	[() => 1, 'a function'],
	[{ shard: 1 }, '{"shard":1}'],
	[[1n], 'an array'],
	[circular, 'an object'],
	[{ toJSON: () => undefined }, 'an object'],
	['x'.repeat(1000), `"${'x'.repeat(199)}…`],
])('shows %o as %s', (value, text) => {
	expect(describeValue(value)).toBe(text);
});
