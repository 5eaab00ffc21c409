import fc from 'fast-check';
import { expect, it } from 'vitest';
import { jsonEqual } from './json-equal.js';

it('agrees with comparing JSON texts with sorted keys', () => {
	fc.assert(
		fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
			const sorted = (value: unknown): unknown =>
				typeof value === 'object' && value !== null && !Array.isArray(value)
					? Object.entries(value)
							.map(([key, item]) => [key, sorted(item)])
							.sort(([x], [y]) => ((x as string) < (y as string) ? -1 : 1))
					: Array.isArray(value)
						? ['list', ...value.map(sorted)]
						: { value };
			expect(jsonEqual(a, structuredClone(a))).toBe(true);
			expect(jsonEqual(a, b)).toBe(JSON.stringify(sorted(a)) === JSON.stringify(sorted(b)));
		}),
	);
});

it.each([
	[{ a: 1, b: [2] }, { b: [2], a: 1 }, true],
	[{ a: undefined }, { b: undefined }, false],
	[[1, 2], [2, 1], false],
	[[], {}, false],
	[null, {}, false],
])('compares %j with %j', (a, b, equal) => {
	expect(jsonEqual(a, b)).toBe(equal);
});
