import { randomBytes } from 'node:crypto';
import { constants, createDeflate, createInflate } from 'node:zlib';
import { Deflate, Inflate } from 'minizlib';
import { describe, expect, it } from 'vitest';
import { HandleZlib, MinizlibZlib, synchronousDeflate, synchronousInflate } from './synchronous-zlib.js';

const flush = { flush: constants.Z_SYNC_FLUSH };
const implementations = [
	{
		name: "Node's handle",
		inflate: () => new HandleZlib(createInflate() as never),
		deflate: () => new HandleZlib(createDeflate() as never),
	},
	{ name: 'minizlib', inflate: () => new MinizlibZlib(new Inflate(flush)), deflate: () => new MinizlibZlib(new Deflate(flush)) },
];

it("finds the handle of this version of Node's streams", () => {
	expect(HandleZlib.fits(createInflate())).toBe(true);
	expect(synchronousInflate()).toBeInstanceOf(HandleZlib);
	expect(synchronousDeflate()).toBeInstanceOf(HandleZlib);
	expect([{}, { _handle: null }, { _handle: { writeSync() {} } }].map((stream) => HandleZlib.fits(stream))).toEqual([
		false,
		false,
		false,
	]);
});

describe.each(implementations)('$name', ({ inflate, deflate }) => {
	it('gives out each piece at once, of any size, in one context', () => {
		const [writer, reader] = [deflate(), inflate()];
		// Of incompressible data, and around the size of its memory, where a context may have just as much to give out as fits.
		const sizes = [1, 0, 65_535, 65_536, 65_537, 200_000, 10, 1_000_000, 3];
		for (const size of sizes) {
			const piece = randomBytes(size);
			const compressed = Buffer.from(writer.write(piece));
			expect(reader.write(compressed).equals(piece)).toBe(true);
		}
		writer.close();
		reader.close();
	});

	it('gives out exactly as much as its memory holds', () => {
		for (const size of [64 * 1024, 128 * 1024]) {
			const [writer, reader] = [deflate(), inflate()];
			const piece = Buffer.alloc(size, 'x');
			expect(reader.write(Buffer.from(writer.write(piece))).length).toBe(size);
			expect(reader.write(Buffer.from(writer.write(Buffer.from('next')))).toString()).toBe('next');
		}
	});

	it('reads a stream that arrives byte by byte', () => {
		const compressed = Buffer.from(deflate().write(Buffer.from('ä€🦊')));
		const reader = inflate();
		const pieces = Array.from(compressed, (byte) => Buffer.from(reader.write(Uint8Array.of(byte))));
		expect(Buffer.concat(pieces).toString()).toBe('ä€🦊');
	});

	it('fails on broken data, and from then on at each call', () => {
		const reader = inflate();
		expect(() => reader.write(Uint8Array.from([1, 2, 3, 4]))).toThrow(/incorrect header check/);
		expect(() => reader.write(Buffer.from(deflate().write(Buffer.from('x'))))).toThrow(/incorrect header check/);
		reader.close();
	});
});
