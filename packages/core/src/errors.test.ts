import { describe, expect, it } from 'vitest';
import { messageOf, ShardctlError } from './errors.js';

describe('ShardctlError', () => {
	it('has code, cause and details', () => {
		const cause = new Error('refused');
		const error = new ShardctlError('API_UNREACHABLE', 'no answer', { cause, details: { api: 'http://x' } });
		expect(error).toMatchObject({ name: 'ShardctlError', code: 'API_UNREACHABLE', cause, details: { api: 'http://x' } });
		expect(ShardctlError.is(error)).toBe(true);
		expect(ShardctlError.is(cause)).toBe(false);
		expect(ShardctlError.is({ code: 'API_UNREACHABLE' })).toBe(false);
	});

	it('has no cause when none was given', () => {
		expect('cause' in new ShardctlError('INTERNAL', 'x')).toBe(false);
	});
});

describe('messageOf', () => {
	it('returns a message for any thrown value', () => {
		expect(messageOf(new Error('a'))).toBe('a');
		expect(messageOf('b')).toBe('b');
		expect(messageOf(null)).toBe('null');
	});
});
