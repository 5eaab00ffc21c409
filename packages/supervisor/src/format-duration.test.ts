import { expect, it } from 'vitest';
import { formatDuration } from './format-duration.js';

it.each([
	[0, '0 ms'],
	[79.6, '80 ms'],
	[1000, '1 s'],
	[12_340, '12.3 s'],
	[30_000, '30 s'],
	[90_000, '1 min'],
	[3 * 3_600_000 + 25 * 60_000, '3 h 25 min'],
])('formats %d ms as %s', (durationMs, words) => {
	expect(formatDuration(durationMs)).toBe(words);
});
