import { expect, it } from 'vitest';
import { sparkline } from './sparkline.js';

it.each([
	['rises with the values', [0, 50, 100], '▁▅█'],
	['measures by the largest value where that is over the ceiling', [0, 100, 200], '▁▅█'],
	['leaves a gap where there is none', [100, null, 100], '█ █'],
	['shows the last values', [0, 0, 0, 0, 100, 100, 100], '▁███'],
	['fills from the left', [100], '   █'],
])('%s', (_, values, line) => {
	expect(sparkline(values, { width: 4, ceiling: 100 })).toBe(line.padStart(4));
});
