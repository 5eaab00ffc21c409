import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LineSplitter } from './log-lines.js';

/** The lines of these chunks; strings are sent as UTF-8. */
function linesOf(chunks: (string | Buffer)[], maxBytes = 1024): string[] {
	const lines: string[] = [];
	const splitter = new LineSplitter({ maxBytes, onLine: (line) => lines.push(line) });
	for (const chunk of chunks) splitter.write(Buffer.from(chunk as string));
	splitter.end();
	return lines;
}

/** Cuts a buffer at these places, in any order. */
function cutAt(bytes: Buffer, places: number[]): Buffer[] {
	const cuts = [0, ...places.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
	return cuts.slice(1).map((end, index) => bytes.subarray(cuts[index], end));
}

describe('LineSplitter', () => {
	it.each([
		['whole lines', ['a\nb\n'], ['a', 'b']],
		['a line in pieces', ['on', 'e\ntw', 'o\n'], ['one', 'two']],
		['a last line without an end', ['a\nb'], ['a', 'b']],
		['empty lines', ['\n\na\n'], ['', '', 'a']],
		['Windows line ends, also when cut in two', ['a\r', '\nb\r\n'], ['a', 'b']],
		['a lone carriage return inside a line', ['10%\r20%\n'], ['10%\r20%']],
		['nothing at all', [], []],
		['bytes that are no UTF-8', [Buffer.from([0xff, 0x0a])], ['�']],
	])('splits %s', (_what, chunks, lines) => {
		expect(linesOf(chunks)).toEqual(lines);
	});

	it('returns the same lines wherever the chunks are cut, also within a character', () => {
		const line = fc.string({ unit: 'binary' }).map((text) => text.replace(/[\n\r]/g, ' ').toWellFormed());
		fc.assert(
			fc.property(fc.array(line), fc.array(fc.nat()), (lines, places) => {
				const bytes = Buffer.from(lines.map((text) => `${text}\n`).join(''));
				expect(linesOf(cutAt(bytes, places), 1 << 20)).toEqual(lines);
			}),
		);
	});

	it('keeps the head of a line that is too long, counts the rest, and continues with the next', () => {
		expect(linesOf(['12345678', '90\nnext\n'], 4)).toEqual(['1234 … [cut: 6 more bytes]', 'next']);
		expect(linesOf(['1234\n'], 4)).toEqual(['1234']);
	});

	it('never splits a character', () => {
		// Four bytes: the limit falls into the second one.
		expect(linesOf(['😀😀😀\n'], 6)).toEqual(['😀 … [cut: 8 more bytes]']);
		expect(linesOf(['aé\n'], 2)).toEqual(['a … [cut: 2 more bytes]']);
		expect(linesOf(['aéb\n'], 3)).toEqual(['aé … [cut: 1 more bytes]']);
	});

	it('buffers no more than its limit of an endless line', () => {
		const lines: string[] = [];
		const splitter = new LineSplitter({ maxBytes: 10, onLine: (line) => lines.push(line) });
		for (let i = 0; i < 1000; i++) splitter.write(Buffer.alloc(1000, 'x'));
		splitter.end();
		expect(lines).toEqual(['xxxxxxxxxx … [cut: 999990 more bytes]']);
	});
});

describe('LineSplitter with a budget', () => {
	/** A budget for a number of lines, which the test raises. */
	function limited(room: number) {
		const budget = {
			room,
			get hasRoom() {
				return this.room > 0;
			},
			spend() {
				this.room--;
			},
		};
		const lines: string[] = [];
		let leftOut = 0;
		const splitter = new LineSplitter({
			maxBytes: 1024,
			budget,
			onLine: (line) => lines.push(line),
			onLeftOut: (count) => {
				leftOut += count;
			},
		});
		return { splitter, budget, lines, leftOut: () => leftOut };
	}

	it('omits whole lines and continues with a whole one, wherever the chunks are cut', () => {
		fc.assert(
			fc.property(fc.array(fc.nat({ max: 400 })), fc.nat({ max: 50 }), (places, room) => {
				const { splitter, lines, leftOut } = limited(room);
				const all = Array.from({ length: 60 }, (_, i) => `line ${i}`);
				for (const chunk of cutAt(Buffer.from(all.map((line) => `${line}\n`).join('')), places)) splitter.write(chunk);
				const before = lines.length;
				expect(lines).toEqual(all.slice(0, before));
				splitter.end();
				// All of it fits into what is kept of the end.
				expect({ lines, leftOut: leftOut() }).toEqual({ lines: all, leftOut: 0 });
			}),
		);
	});

	it('emits the last lines of a flood in full, wherever the chunks are cut', () => {
		const flood = Array.from({ length: 20_000 }, (_, i) => `noise ${i}`);
		const all = Buffer.from([...flood, 'the', 'last', 'words'].map((line) => `${line}\n`).join(''));
		fc.assert(
			fc.property(fc.array(fc.nat({ max: all.length }), { maxLength: 40 }), fc.nat({ max: 40 }), (places, fromEnd) => {
				const { splitter, lines, leftOut } = limited(5);
				for (const chunk of cutAt(all, [...places, all.length - fromEnd])) splitter.write(chunk);
				splitter.end();
				expect(lines.slice(-3)).toEqual(['the', 'last', 'words']);
				expect(lines.slice(5)).toEqual([...flood, 'the', 'last', 'words'].slice(5 - lines.length));
				expect(lines.length + leftOut()).toBe(20_003);
			}),
			{ numRuns: 50 },
		);
	});

	it('emits lines again when the budget allows', () => {
		const { splitter, budget, lines, leftOut } = limited(1);
		splitter.write(Buffer.from('a\nb\nc'));
		budget.room = 5;
		splitter.write(Buffer.from('c\nd\n'));
		splitter.end();
		expect({ lines, leftOut: leftOut() }).toEqual({ lines: ['a', 'cc', 'd'], leftOut: 1 });
	});
});
