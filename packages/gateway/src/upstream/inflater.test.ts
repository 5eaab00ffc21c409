import { constants } from 'node:zlib';
import fc from 'fast-check';
import { Deflate } from 'minizlib';
import { expect, it } from 'vitest';
import { Inflater } from './inflater.js';

function compressed(texts: readonly string[]): Buffer[] {
	const deflate = new Deflate({ flush: constants.Z_SYNC_FLUSH });
	let pieces: Buffer[] = [];
	deflate.on('data', (piece) => pieces.push(piece));
	return texts.map((text) => {
		deflate.write(Buffer.from(text));
		const message = Buffer.concat(pieces);
		pieces = [];
		return message;
	});
}

it('returns each message, whole and in order, also when it arrives in pieces', () => {
	const texts = fc.array(fc.string({ minLength: 1, unit: 'grapheme', maxLength: 200 }), { minLength: 1, maxLength: 20 });
	fc.assert(
		fc.property(texts, fc.integer({ min: 1, max: 50 }), (list, size) => {
			const inflater = new Inflater();
			for (const [index, message] of compressed(list).entries()) {
				let text: string | undefined;
				// The suffix stays whole: it marks the end of the message.
				const end = Math.max(0, message.length - 4);
				for (let at = 0; at < end; at += size) text = inflater.push(message.subarray(at, Math.min(end, at + size)));
				expect(text).toBeUndefined();
				expect(inflater.push(message.subarray(end))).toBe(list[index]);
			}
			inflater.close();
		}),
		{ numRuns: 50 },
	);
});

it('skips a frame that inflates to nothing, at any position', () => {
	const inflater = new Inflater();
	const deflate = new Deflate({ flush: constants.Z_SYNC_FLUSH });
	const empty = Buffer.from([0, 0, 0, 255, 255]);
	const pieces: Buffer[] = [];
	deflate.on('data', (piece) => pieces.push(piece));
	deflate.write(Buffer.from('{"op":10}'));
	const first = Buffer.concat(pieces.splice(0));
	deflate.write(Buffer.from('{"op":11}'));
	const second = Buffer.concat(pieces);
	expect([first, empty, empty, second, empty].map((frame) => inflater.push(frame))).toEqual([
		'{"op":10}',
		undefined,
		undefined,
		'{"op":11}',
		undefined,
	]);
});

it('reads a message of several megabytes', () => {
	const text = JSON.stringify(Array.from({ length: 300_000 }, (_, n) => (n * 7919) % 100_003));
	const [message] = compressed([text]);
	expect(new Inflater().push(message as Buffer)).toBe(text);
});

it('throws once the stream is broken, and for every frame after that', () => {
	const inflater = new Inflater();
	const [one, two] = compressed(['{"op":10}', '{"op":11}']) as [Buffer, Buffer];
	expect(inflater.push(one)).toBe('{"op":10}');
	expect(() => inflater.push(Buffer.from('this is no compressed data'))).toThrow(/cannot be decompressed/);
	expect(() => inflater.push(two)).toThrow(/cannot be decompressed/);
});
