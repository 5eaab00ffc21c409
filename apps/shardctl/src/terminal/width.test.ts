import { expect, it } from 'vitest';
import { outputWidth } from './width.js';

it.each([
	[{ isTTY: true, columns: 110 }, 110],
	[{ isTTY: true, columns: 0 }, 80],
	[{ isTTY: true }, 80],
	[{ columns: 40 }, Number.POSITIVE_INFINITY],
	[{ isTTY: false }, Number.POSITIVE_INFINITY],
])('A5: of %j is %s', (stream, width) => {
	expect(outputWidth(stream)).toBe(width);
});
