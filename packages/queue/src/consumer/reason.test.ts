import { expect, it } from 'vitest';
import { oneLine, reasonOf } from './reason.js';

const hostile = {
	get message() {
		throw new Error('no');
	},
};

it.each<[unknown, string]>([
	[new Error('the database is away'), 'the database is away'],
	[new TypeError(), 'TypeError'],
	[Object.assign(new Error(), { message: { a: 1 } }), '[object Object]'],
	['not an error', 'not an error'],
	['', 'the handler failed with ""'],
	[undefined, 'the handler failed with undefined'],
	[null, 'the handler failed with null'],
	[Symbol('s'), 'the handler failed with Symbol(s)'],
	[7n, 'the handler failed with 7n'],
	[{ status: 500 }, 'the handler failed with {"status":500}'],
	[Object.create(null), 'the handler failed with {}'],
	[Object.setPrototypeOf(hostile, Error.prototype), 'the handler failed with what cannot be shown'],
])('has a text of whatever was thrown', (thrown, text) => {
	expect(reasonOf(thrown)).toBe(text);
});

it('bounds the text', () => {
	expect(reasonOf(new Error('x'.repeat(10_000_000))).length).toBe(1001);
});

it('leaves nothing that a terminal obeys', () => {
	expect(oneLine('a\nb\u001B[2J\u009B\u202Ec')).toBe('a\\nb\\u001b[2J\\u009b\\u202ec');
});
