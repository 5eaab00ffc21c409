import { expect, it } from 'vitest';
import { age } from './age.js';

it.each([
	[-5, '0s'],
	[999, '0s'],
	[45_000, '45s'],
	[12 * 60_000, '12m'],
	[3 * 3_600_000 + 5 * 60_000, '3h 5m'],
	[(2 * 24 + 4) * 3_600_000, '2d 4h'],
])('formats %i ms as %s', (ms, text) => {
	expect(age(ms)).toBe(text);
});
