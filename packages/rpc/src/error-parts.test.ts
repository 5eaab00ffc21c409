import { ShardctlError } from '@shardctl/core';
import { describe, expect, it } from 'vitest';
import { isError, putErrorTogether, takeErrorApart } from './error-parts.js';

describe('taking an error apart', () => {
	it('returns its texts, its data and its code, and nothing else', () => {
		const error = Object.assign(new TypeError('bad', { cause: 1 }), { code: 'E_BAD', status: 5 });
		expect(takeErrorApart(error)).toEqual({
			name: 'TypeError',
			message: 'bad',
			stack: error.stack,
			cause: 1,
			own: new Map<string, unknown>([
				['code', 'E_BAD'],
				['status', 5],
			]),
		});
	});

	it('returns the details of a ShardctlError as its data', () => {
		const parts = takeErrorApart(new ShardctlError('INTERNAL', 'x', { details: { shard: 1 } }));
		expect(parts).toMatchObject({ shardctlCode: 'INTERNAL', own: new Map([['shard', 1]]) });
	});

	it('never throws', () => {
		const error = new Error('x');
		const broken = { get: () => { throw new Error('broken getter'); }, enumerable: true }; // biome-ignore format: one line reads better
		// The stack is read first: V8 reads the name and the message when it is replaced.
		for (const key of ['stack', 'name', 'message', 'code', 'cause', 'errors', 'data']) Object.defineProperty(error, key, broken);
		expect(takeErrorApart(error)).toMatchObject({ name: 'Error', message: '', cause: undefined });
	});
});

describe('putting an error together', () => {
	it('returns an error with the stack it was thrown with', () => {
		const error = putErrorTogether({ name: 'HTTPError', message: 'no', stack: 'HTTPError: no\n    at bot.js:1', own: new Map() });
		expect(error).toMatchObject({ name: 'HTTPError', message: 'no', stack: 'HTTPError: no\n    at bot.js:1' });
		expect(Object.keys(error)).toEqual([]);
	});

	it('creates a stack that names the error when none was sent', () => {
		expect(putErrorTogether({ name: 'TypeError', message: 'no', own: new Map() }).stack).toBe('TypeError: no');
	});

	it('does not let data overwrite what makes it an error', () => {
		const own = new Map<string, unknown>([
			['message', 'other'],
			['__proto__', { admin: true }],
		]);
		const error = putErrorTogether({ name: 'Error', message: 'mine', own });
		expect(error.message).toBe('mine');
		expect(error).toBeInstanceOf(Error);
		expect('admin' in error).toBe(false);
	});
});

it('isError recognises errors of every realm, and no look-alikes', () => {
	expect(isError(new TypeError('x'))).toBe(true);
	expect(isError(Object.create(Error.prototype))).toBe(true);
	expect(isError({ name: 'Error', message: 'x' })).toBe(false);
	expect(isError(null)).toBe(false);
});
