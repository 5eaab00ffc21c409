import type { ShardctlError } from '@shardctl/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeValue } from './value-decoder.js';
import { encodeValue } from './value-encoder.js';
import { tag } from './wire-tags.js';

// What the encoder writes and this reads back is tested beside the encoder; this file has input that our encoder never writes.

/** The code of the error that is thrown, or `fine`. */
function codeOf(act: () => unknown): unknown {
	try {
		act();
		return 'fine';
	} catch (error) {
		return (error as ShardctlError).code;
	}
}

describe('decoding', () => {
	it('returns a value without tags unchanged', () => {
		const wire = { a: [{ $: 'n', v: 'not a tag' }] };
		expect(decodeValue(wire, false)).toBe(wire);
	});

	it.each([
		{ $: 'x' },
		{ $: '__proto__' },
		{ $: null },
		{ $: tag.bigint, v: 'abc' },
		{ $: tag.bigint, v: 5 },
		{ $: tag.map, v: { 0: 1 } },
		{ $: tag.set, v: 'text' },
		{ $: tag.regexp, v: ['(', ''] },
		{ $: tag.url, v: 'not a url' },
		{ $: tag.bytes, v: ['Function', ''] },
		{ $: tag.bytes, v: ['Float64Array', 'AAAA'] },
		{ $: tag.error, v: {} },
		{ $: tag.error, v: { name: 'Error', message: 'x', own: 1 } },
		{ $: tag.object, v: [1] },
	])('rejects %j with PROTOCOL_ERROR', (wire) => {
		expect(codeOf(() => decodeValue([{ wire }], true))).toBe('PROTOCOL_ERROR');
	});

	it('returns a value or PROTOCOL_ERROR for any data under any tag', () => {
		const kinds = fc.constantFrom<unknown>(...Object.values(tag), 'x', '', null, 1, '__proto__');
		fc.assert(
			fc.property(kinds, fc.jsonValue(), (kind, data) => {
				expect(codeOf(() => decodeValue({ a: { $: kind, v: data } }, true))).toMatch(/^(fine|PROTOCOL_ERROR)$/);
			}),
		);
	});

	it('returns a value or PROTOCOL_ERROR for corrupted output of the encoder', () => {
		const value = {
			e: Object.assign(new TypeError('x', { cause: [1n] }), { code: 5 }),
			m: new Map([[1n, Buffer.from('x')]]),
			$: /x/,
		};
		const text = JSON.stringify(encodeValue(value).wire);
		fc.assert(
			fc.property(fc.nat(text.length), fc.constantFrom('1', 'null', '{}', '[]', '"x"', ''), (at, junk) => {
				// Truncated text is rarely JSON, so whole tokens are replaced.
				const garbled = text.slice(0, at) + text.slice(at).replace(/"[^"]*"|\d+/, junk || '"$"');
				let wire: unknown;
				try {
					wire = JSON.parse(garbled);
				} catch {
					return;
				}
				expect(codeOf(() => decodeValue(wire, true))).toMatch(/^(fine|PROTOCOL_ERROR)$/);
			}),
		);
	});

	it('rejects input that is nested too deep before the stack overflows', () => {
		let deep: unknown = 1;
		for (let i = 0; i < 100_000; i++) deep = [deep];
		expect(() => decodeValue(deep, true)).toThrow(/too deep/);
	});
});
