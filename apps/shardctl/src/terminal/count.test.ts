import { expect, it } from 'vitest';
import { grouped } from './count.js';

it.each([
	[0, '0'],
	[999, '999'],
	[1000, '1,000'],
	[123_456, '123,456'],
	[12_345_678, '12,345,678'],
])('formats %i as %s', (value, text) => {
	expect(grouped(value)).toBe(text);
});
