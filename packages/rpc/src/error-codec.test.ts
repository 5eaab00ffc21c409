import { ShardctlError } from '@shardctl/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeThrown, encodeThrown } from './error-codec.js';
import { defaultPeerLimits } from './limits.js';

/** The error the caller receives for what the handler threw. */
function travel(thrown: unknown, limits = defaultPeerLimits): Error {
	return decodeThrown(JSON.parse(JSON.stringify(encodeThrown(thrown, limits).wire)));
}

describe('an error that a handler threw', () => {
	it('arrives with its name, message, stack, code, cause and data', () => {
		class DiscordAPIError extends Error {
			override name = `DiscordAPIError[${10004}]`;
			code = 10004;
			status = 404;
			requestBody = { files: [], json: { id: 1n } };
		}
		const error = new DiscordAPIError('Unknown Guild', { cause: { hint: new Map([['a', 1]]) } });
		const arrived = travel(error);
		expect(arrived).toBeInstanceOf(Error);
		expect(arrived).toMatchObject({
			name: 'DiscordAPIError[10004]',
			message: 'Unknown Guild',
			stack: error.stack,
			code: 10004,
			status: 404,
			requestBody: { files: [], json: { id: 1n } },
			cause: { hint: new Map([['a', 1]]) },
		});
		expect(Object.keys(arrived).sort()).toEqual(['code', 'requestBody', 'status']);
	});

	it.each([TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError])('of the builtin %o stays one', (Builtin) => {
		const arrived = travel(new Builtin('x'));
		expect(arrived).toBeInstanceOf(Builtin);
		expect(Object.hasOwn(arrived, 'name')).toBe(false);
	});

	it('of our own class stays one, with code and details', () => {
		const cause = new Error('refused');
		const arrived = travel(new ShardctlError('API_UNREACHABLE', 'no answer', { cause, details: { api: 'http://x', since: 1n } }));
		expect(ShardctlError.is(arrived)).toBe(true);
		expect(arrived).toMatchObject({
			code: 'API_UNREACHABLE',
			details: { api: 'http://x', since: 1n },
			cause: { message: 'refused' },
		});
	});

	it('of our own class with a code from a newer version keeps its code', () => {
		const error = new ShardctlError('FROM_THE_FUTURE' as 'INTERNAL', 'x');
		expect(travel(error)).toMatchObject({ name: 'ShardctlError', code: 'FROM_THE_FUTURE', message: 'x' });
	});

	it('includes the errors of an AggregateError', () => {
		const arrived = travel(new AggregateError([new TypeError('a'), 'b', null], 'both')) as AggregateError;
		expect(arrived).toBeInstanceOf(AggregateError);
		expect(arrived.errors).toMatchObject([{ name: 'TypeError', message: 'a' }, 'b', null]);
	});

	it('distinguishes a cause of undefined from no cause', () => {
		expect('cause' in travel(new Error('x', { cause: undefined }))).toBe(true);
		expect('cause' in travel(new Error('x'))).toBe(false);
	});

	it('includes a code that is inherited or not enumerable', () => {
		const aborted = new DOMException('stop', 'AbortError');
		expect(travel(aborted)).toMatchObject({ name: 'AbortError', message: 'stop', code: 20 });
	});

	it('omits what cannot be encoded, and arrives', () => {
		const error = Object.assign(new Error('x'), {
			keep: 1,
			circular: {} as object,
			large: 'x'.repeat(2_000_000),
			method() {},
			get broken() {
				return 1;
			},
		});
		error.circular = { error };
		Object.defineProperty(error, 'broken', { enumerable: true, get: () => error.method.call(null) ?? fail() });
		const arrived = travel(error) as Error & Record<string, unknown>;
		expect(arrived).toMatchObject({ message: 'x', keep: 1 });
		expect(Object.keys(arrived)).not.toContain('circular');
		expect(Object.keys(arrived)).not.toContain('large');
		expect(Object.keys(arrived)).not.toContain('method');
	});

	it('whose cause is itself arrives without it', () => {
		const error = new Error('x');
		error.cause = error;
		expect('cause' in travel(error)).toBe(false);
	});

	it('with an endless chain of causes arrives with the first of them', () => {
		let error = new Error('0');
		for (let i = 1; i < 10_000; i++) error = new Error(String(i), { cause: error });
		let arrived: unknown = travel(error);
		let length = 0;
		for (; arrived instanceof Error; arrived = arrived.cause) length++;
		expect(length).toBeGreaterThan(10);
		expect(length).toBeLessThanOrEqual(defaultPeerLimits.maxDepth);
	});

	it('with an endless message or stack arrives with its start', () => {
		const error = new Error('m'.repeat(10_000_000));
		error.stack = 's'.repeat(10_000_000);
		const arrived = travel(error);
		expect(arrived.message).toMatch(/^m{1000}/);
		expect(arrived.message.length).toBeLessThan(100_000);
		expect(arrived.stack?.length).toBeLessThan(100_000);
	});

	it('with fields of the wrong type arrives as a generic error', () => {
		const error = new Error('x');
		for (const key of ['name', 'message', 'stack', 'code', 'errors']) Object.defineProperty(error, key, { value: { odd: key } });
		expect(travel(error)).toMatchObject({ name: 'Error', message: '' });
		const worse = new Error('x');
		Object.defineProperty(worse, 'message', { get: fail });
		expect(travel(worse)).toBeInstanceOf(Error);
	});
});

describe('a thrown value that is no error', () => {
	it.each([null, undefined, 0, '', false, 'text', 5n, { code: 1 }])('(%o) is the cause of a REMOTE_ERROR', (thrown) => {
		expect(travel(thrown)).toMatchObject({
			code: 'REMOTE_ERROR',
			cause: thrown,
			message: expect.stringContaining('is not an Error'),
		});
	});

	it('that cannot be encoded is described', () => {
		const circular: Record<string, unknown> = { name: 'guild' };
		circular.self = circular;
		for (const thrown of [() => 1, Symbol('sign'), circular]) {
			expect(travel(thrown)).toMatchObject({ code: 'REMOTE_ERROR', message: expect.stringMatching(/Function|sign|guild/) });
		}
	});
});

it('always reaches the caller as an Error, within any limits', () => {
	fc.assert(
		fc.property(fc.anything({ withBigInt: true, withMap: true, withSet: true, withDate: true }), fc.nat(2000), (thrown, size) => {
			const limits = { ...defaultPeerLimits, maxMessageBytes: size, maxDepth: 3 };
			expect(travel(thrown, limits)).toBeInstanceOf(Error);
			expect(travel(Object.assign(new Error('x'), { thrown }), limits)).toBeInstanceOf(Error);
		}),
	);
});

function fail(): never {
	throw new Error('a getter that throws');
}
