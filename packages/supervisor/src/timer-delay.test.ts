import { expect, it } from 'vitest';
import { isOn, timerDelayMs } from './timer-delay.js';

it.each([
	[0, false],
	[Number.POSITIVE_INFINITY, false],
	[Number.NaN, false],
	[-1, false],
	[1, true],
])('an option of %s is enabled: %s', (value, on) => {
	expect(isOn(value)).toBe(on);
});

it('a delay never exceeds the timer limit', () => {
	expect([0, 5, 2 ** 31, Number.POSITIVE_INFINITY].map(timerDelayMs)).toEqual([0, 5, 2 ** 31 - 1, 2 ** 31 - 1]);
});
