import { isDeepStrictEqual } from 'node:util';
import { messageWeight } from '@shardctl/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defaultPeerLimits } from './limits.js';
import { decodeValue } from './value-decoder.js';
import { encodeValue, PreparedValue } from './value-encoder.js';

const keys = fc.oneof(fc.string(), fc.constantFrom('$', 'v', '__proto__', 'constructor', 'toString', '@shardctl', '0'));
/** A key `$` is the one valid JSON key that needs a tag. */
const untaggedKeys = keys.filter((key) => key !== '$');

/** What arrives on the other side of a JSON channel. */
function travel(value: unknown): unknown {
	const { wire, tagged } = encodeValue(value);
	const text = JSON.stringify([wire]);
	return decodeValue((JSON.parse(text) as unknown[])[0], tagged);
}

/** The error with which a value is rejected. */
function refusal(value: unknown, limits = { maxMessageBytes: 10_000, maxDepth: 20 }): unknown {
	try {
		encodeValue(value, limits);
	} catch (error) {
		return error;
	}
	throw new Error('the value was encoded');
}

describe('values that JSON supports', () => {
	it('are encoded as a snapshot without tags, and need no decoding', () => {
		const value = { a: [1, 'two', { three: null }], b: true };
		const { wire, tagged } = encodeValue(value);
		expect(tagged).toBe(false);
		value.a.push('later');
		(value.a[2] as { three: unknown }).three = 3;
		expect(wire).toEqual({ a: [1, 'two', { three: null }], b: true });
	});

	it('have the same text as with JSON.stringify, toJSON, functions, symbols, boxes and classes included', () => {
		const leaf = fc.oneof(
			fc.string(),
			fc.integer(),
			fc.double({ noNaN: true, noDefaultInfinity: true }).filter((n) => !Object.is(n, -0)),
			fc.boolean(),
			fc.constant(null),
			fc.func(fc.integer()),
			fc.constant(Symbol('s')),
			fc.constant(Object('boxed')),
			fc.constant(Object(5)),
			fc.constant(Object(false)),
		);
		const { tree } = fc.letrec((tie) => ({
			node: fc.oneof(
				{ depthSize: 'small' },
				leaf,
				fc.array(tie('node')),
				fc.array(fc.tuple(untaggedKeys, tie('node'))).map((entries) => Object.fromEntries(entries)),
				tie('node').map((inner) => ({ secret: 1, toJSON: () => inner })),
				tie('node').map((inner) => Object.assign(new (class Guild {})(), { inner })),
				tie('node').map((inner) => Object.assign(Object.create(null) as object, { inner })),
			),
			tree: fc.array(tie('node')),
		}));
		fc.assert(
			fc.property(tree, (value) => {
				const { wire, tagged } = encodeValue(value);
				const text = JSON.stringify(value);
				expect(tagged).toBe(false);
				expect(JSON.stringify(wire)).toBe(text);
			}),
		);
	});

	it('can be replaced by toJSON, also structures and collections', () => {
		class Collection extends Map<string, unknown> {
			toJSON() {
				return [...this.values()];
			}
		}
		class Guild {
			name = 'x';
			client = this;
			toJSON() {
				return { name: this.name };
			}
		}
		expect(travel({ guilds: new Collection([['1', new Guild()]]) })).toEqual({ guilds: [{ name: 'x' }] });
	});

	it('pass toJSON its key, and do not call toJSON on its result', () => {
		const teller = { toJSON: (key: string) => `at ${key}` };
		expect(travel({ a: teller, list: [teller] })).toEqual({ a: 'at a', list: ['at 0'] });
		const self = {
			n: 1,
			toJSON() {
				return this;
			},
		};
		expect(JSON.parse(JSON.stringify({ ...(travel(self) as object) }))).toEqual({ n: 1 });
	});
});

describe('values that JSON does not support', () => {
	const leaf = fc.oneof(
		fc.string(),
		fc.double(),
		fc.integer(),
		fc.boolean(),
		fc.constantFrom(null, undefined, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0),
		fc.bigInt(),
		// An invalid date has its own test: Node 20 does not treat two of them as equal.
		fc.date({ noInvalidDate: true }),
		fc.uint8Array().map((bytes) => Buffer.from(bytes)),
		fc.uint8Array(),
		fc.float64Array(),
		fc.int16Array(),
		fc.constantFrom(/a+/giu, /\/"\\/, new URL('https://discord.com/api?x=1#y')),
	);
	const { node } = fc.letrec((tie) => ({
		node: fc.oneof(
			{ depthSize: 'small' },
			leaf,
			fc.array(tie('node')),
			fc.array(fc.tuple(keys, tie('node'))).map((entries) => Object.fromEntries(entries)),
			// Short ones: comparing collections whose keys are objects takes quadratic time at each level.
			fc.array(fc.tuple(tie('node'), tie('node')), { maxLength: 4 }).map((entries) => new Map(entries)),
			fc.array(tie('node'), { maxLength: 4 }).map((items) => new Set(items)),
		),
	}));

	it('arrive unchanged, however nested', () => {
		fc.assert(
			fc.property(node, (value) => {
				expect(isDeepStrictEqual(travel(value), value)).toBe(true);
			}),
			{ numRuns: 100 },
		);
	});

	it.each([
		['undefined', undefined],
		['a BigInt', -(10n ** 40n)],
		['NaN', Number.NaN],
		['-0', -0],
		['-Infinity', Number.NEGATIVE_INFINITY],
		['a Date', new Date(1e12)],
		['an invalid Date', new Date(Number.NaN)],
		['a Map with keys of any type', new Map<unknown, unknown>([[1n, new Map([[{ a: 1 }, undefined]])]])],
		['a Set', new Set([new Set([null])])],
		['a Buffer', Buffer.from('hello')],
		['an ArrayBuffer', new Uint8Array([1, 2, 3]).buffer],
		['a view that starts in the middle', new Uint32Array(new Uint32Array([1, 2, 3]).buffer, 4, 1)],
		['a DataView', new DataView(new Uint8Array([1, 2]).buffer)],
		['an array with an undefined', [undefined, 1, undefined]],
	])('%s arrives unchanged', (_, value) => {
		expect(travel(value)).toStrictEqual(value);
		expect(travel([{ value }])).toStrictEqual([{ value }]);
	});

	it('an array with holes arrives with undefined in them', () => {
		const holes: unknown[] = [];
		holes[2] = 1;
		expect(travel(holes)).toStrictEqual([undefined, undefined, 1]);
	});

	it('a function or symbol in a Map or Set becomes null, as in an array', () => {
		expect(travel(new Map([['f', () => 1]]))).toStrictEqual(new Map([['f', null]]));
		expect(travel(new Set([Symbol('s')]))).toStrictEqual(new Set([null]));
	});

	it('a BigInt is encoded by BigInt.prototype.toJSON when a bot defines it', () => {
		const prototype = BigInt.prototype as { toJSON?: () => string };
		prototype.toJSON = function (this: bigint) {
			return `${this}!`;
		};
		try {
			expect(travel({ id: 5n })).toEqual({ id: '5!' });
		} finally {
			delete prototype.toJSON;
		}
	});

	it('an Error inside a value stays an Error, its data and cause too', () => {
		const error = Object.assign(new TypeError('bad', { cause: new Error('deeper') }), { code: 'E_BAD', at: 5n });
		const { reason } = travel({ status: 'rejected', reason: error }) as { reason: Error };
		expect(reason).toBeInstanceOf(TypeError);
		expect(reason).toMatchObject({ message: 'bad', code: 'E_BAD', at: 5n, cause: { message: 'deeper' }, stack: error.stack });
	});

	it('an object of a class without toJSON arrives as its own data', () => {
		class Point {
			x = 1n;
			get sum() {
				return 1;
			}
		}
		expect(travel(new Point())).toStrictEqual({ x: 1n });
	});
});

describe("data that looks like the codec's own, or like an attack", () => {
	it('data with a key "$" is never decoded as a tag', () => {
		for (const value of [
			{ $: 'u' },
			{ $: 'n', v: '1' },
			{ $: { $: 'e', v: {} } },
			{ $: 'o', v: { $: 'u' } },
			[{ $: undefined }],
		]) {
			expect(travel(value)).toStrictEqual(value);
		}
	});

	it('an own "__proto__" stays a key and changes no prototype', () => {
		for (const value of [JSON.parse('{"__proto__":{"admin":true}}'), JSON.parse('{"a":{"__proto__":{"n":1}},"b":[null]}')]) {
			const arrived = travel({ value, alsoTagged: 1n }) as { value: object };
			expect(isDeepStrictEqual(arrived.value, value)).toBe(true);
			expect(Object.getPrototypeOf(arrived.value)).toBe(Object.prototype);
			expect('admin' in arrived.value).toBe(false);
		}
		const error = Object.assign(new Error('x'), JSON.parse('{"own":1}'));
		Object.defineProperty(error, '__proto__', { value: { admin: true }, enumerable: true });
		const arrived = travel(error) as Error;
		expect(arrived).toBeInstanceOf(Error);
		expect('admin' in arrived).toBe(false);
	});
});

describe('a prepared value', () => {
	it('arrives as the value it was made from, at any depth, each time it is sent', () => {
		const context = { guilds: new Map([['1', 5n]]), plain: [1, { two: null }] };
		const prepared = new PreparedValue(context);
		context.plain.push(2);
		const value = { guilds: new Map([['1', 5n]]), plain: [1, { two: null }] };
		for (let i = 0; i < 2; i++) {
			expect(travel(prepared)).toStrictEqual(value);
			expect(travel({ script: 1, context: prepared, list: [prepared] })).toStrictEqual({
				script: 1,
				context: value,
				list: [value],
			});
		}
		expect(encodeValue({ context: new PreparedValue({ a: 1 }) }).tagged).toBe(false);
	});

	it('counts towards the size limit, and is rejected like any other value', () => {
		const prepared = new PreparedValue('x'.repeat(6000));
		expect(refusal([prepared, prepared])).toMatchObject({ code: 'MESSAGE_TOO_LARGE' });
		expect(() => new PreparedValue(() => 1)).toThrow(expect.objectContaining({ code: 'NOT_SERIALIZABLE' }));
	});
});

describe('what cannot be encoded', () => {
	it.each([
		['a function', () => 1],
		['a symbol', Symbol('s')],
		['an object whose toJSON gives a function', { toJSON: () => () => 1 }],
	])('rejects %s as the whole value', (_, value) => {
		expect(refusal(value)).toMatchObject({ code: 'NOT_SERIALIZABLE' });
	});

	it('rejects a circular structure with the path to it', () => {
		const owner: Record<string, unknown> = {};
		const root = { guilds: [{}, { 'my owner': owner }] };
		owner.home = root;
		expect(refusal(root)).toMatchObject({
			code: 'NOT_SERIALIZABLE',
			message: expect.stringContaining('value.guilds[1]["my owner"].home leads back'),
		});
		const map = new Map<string, unknown>();
		map.set('self', map);
		expect(refusal({ map })).toMatchObject({ code: 'NOT_SERIALIZABLE', message: expect.stringContaining('value.map.(…)') });
	});

	it('accepts the same object twice without a cycle', () => {
		const owner = { id: 1 };
		expect(travel([owner, { owner }])).toEqual([owner, { owner }]);
	});

	it('rejects a value that is nested too deep', () => {
		let deep: unknown = 1;
		for (let i = 0; i < 21; i++) deep = { deep };
		expect(refusal(deep)).toMatchObject({ code: 'NOT_SERIALIZABLE', message: expect.stringContaining('deeper than 20') });
	});

	it('rejects a value whose toJSON or getter throws, with that error as the cause', () => {
		const broken = { a: [{ get b() { throw new Error('no'); } }] }; // biome-ignore format: one line reads better
		expect(refusal(broken)).toMatchObject({
			code: 'NOT_SERIALIZABLE',
			message: expect.stringContaining('value.a[0]'),
			cause: { message: 'no' },
		});
	});

	it('rejects a value over the size limit before its text is made', () => {
		expect(refusal({ list: ['x'.repeat(10_001)] })).toMatchObject({
			code: 'MESSAGE_TOO_LARGE',
			message: expect.stringContaining('value.list'),
		});
		expect(refusal('ä'.repeat(5001))).toMatchObject({ code: 'MESSAGE_TOO_LARGE' });
		expect(refusal(Buffer.alloc(7600))).toMatchObject({ code: 'MESSAGE_TOO_LARGE' });
		expect(refusal(Array.from({ length: 2000 }, () => 1))).toMatchObject({ code: 'MESSAGE_TOO_LARGE' });
		const holes: unknown[] = [];
		holes.length = 4_000_000_000;
		expect(refusal(holes)).toMatchObject({ code: 'MESSAGE_TOO_LARGE' });
	});

	it('rejects an object shared so often that its text would be huge', () => {
		let bomb: unknown = 'boom';
		for (let i = 0; i < 19; i++) bomb = [bomb, bomb, bomb, bomb];
		expect(refusal(bomb)).toMatchObject({ code: 'MESSAGE_TOO_LARGE' });
	});

	it('estimates a size near that of the text', () => {
		fc.assert(
			fc.property(fc.jsonValue(), (value) => {
				const { sizeBytes, wire } = encodeValue(value);
				const actual = Buffer.byteLength(JSON.stringify(wire));
				// An escape takes six characters for one; a number up to 24 where eight are counted.
				expect(actual).toBeLessThanOrEqual(6 * sizeBytes);
				expect(sizeBytes).toBeLessThanOrEqual(6 * actual + 16);
			}),
		);
	});
});

describe('the limit on what a value takes where it is received', () => {
	const maxHeapBytes = 200_000;
	const limits = { ...defaultPeerLimits, maxHeapBytes };

	/** What the receiver counts in the text of a message while it arrives, outside of strings. */
	function receivedWeight(text: string): number {
		const marks = text.replace(/"(?:[^"\\]|\\.)*"/g, '');
		const count = (mark: RegExp) => marks.match(mark)?.length ?? 0;
		return count(/[[{]/g) * messageWeight.container + count(/,/g) * messageWeight.value + count(/:/g) * messageWeight.key;
	}

	it.each<[string, (index: number) => unknown]>([
		['empty lists', () => []],
		['pairs', (index) => [index, index]],
		['objects', (index) => ({ id: String(index), name: 'x' })],
		['objects with keys of their own', (index) => ({ [`k${index}`]: 1 })],
		['dates', () => new Date(0)],
		['big integers', () => 10n],
		['maps', (index) => new Map([[index, index]])],
		['sets', (index) => new Set([index, 'x'])],
		['bytes', () => Buffer.from('x')],
		['errors', () => new Error('x')],
		['empty texts', () => ''],
		['numbers', () => 1],
	])('lets through no more %s than a receiver of half as much again takes', (_, make) => {
		const items: unknown[] = [];
		let accepted: unknown;
		let refusal: unknown;
		try {
			for (;;) {
				items.push(...Array.from({ length: 20 }, (_item, index) => make(items.length + index)));
				accepted = encodeValue(items, limits).wire;
			}
		} catch (error) {
			refusal = error;
		}
		expect(refusal).toMatchObject({ code: 'MESSAGE_TOO_LARGE', message: expect.stringContaining('Send less, or split it') });
		const weight = receivedWeight(JSON.stringify(accepted));
		expect(weight).toBeLessThan(1.5 * maxHeapBytes);
		expect(weight).toBeGreaterThan(maxHeapBytes / 3);
	});

	it('is none unless it is set, and leaves out what is attached to an error', () => {
		const large = Array.from({ length: 10_000 }, () => []);
		expect(() => encodeValue(large)).not.toThrow();
		const { wire } = encodeValue(Object.assign(new Error('x'), { large, small: 1 }), limits);
		expect(JSON.stringify(wire)).toMatch(/"small"/);
		expect(JSON.stringify(wire)).not.toMatch(/"large"/);
	});
});
