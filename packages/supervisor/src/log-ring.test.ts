import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LogRing } from './log-ring.js';

const linesOf = (ring: LogRing<{ line: string }>) => ring.toArray().map(({ line }) => line);

describe('LogRing', () => {
	it('keeps the newest lines, oldest first', () => {
		const ring = new LogRing({ maxLines: 2, maxChars: 100 });
		for (const line of ['a', 'b', 'c']) ring.push({ line });
		expect(linesOf(ring)).toEqual(['b', 'c']);
	});

	it('is bounded in size too, but keeps the newest line at any length', () => {
		const ring = new LogRing({ maxLines: 10, maxChars: 5 });
		for (const line of ['aaa', 'bb', 'c']) ring.push({ line });
		expect(linesOf(ring)).toEqual(['bb', 'c']);
		ring.push({ line: 'far too long' });
		expect(linesOf(ring)).toEqual(['far too long']);
	});

	it('always holds the longest tail within both limits', () => {
		fc.assert(
			fc.property(
				fc.array(fc.string({ maxLength: 8 })),
				fc.integer({ min: 1, max: 6 }),
				fc.nat(20),
				(lines, maxLines, maxChars) => {
					const ring = new LogRing({ maxLines, maxChars });
					const expected: string[] = [];
					for (const line of lines) {
						ring.push({ line });
						expected.push(line);
						while (expected.length > 1 && (expected.length > maxLines || expected.join('').length > maxChars)) expected.shift();
					}
					expect(linesOf(ring)).toEqual(expected);
				},
			),
		);
	});
});
