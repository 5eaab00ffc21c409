import { expect, it } from 'vitest';
import { describeWindow, isWithin, nextOpening, parseDailyWindow } from './daily-window.js';

const at = (hour: number, minute = 0, day = 10) => new Date(2026, 4, day, hour, minute).getTime();

it.each<[string, ...[number, boolean][]]>([
	['02:00-05:00', [1.99, false], [2, true], [4.99, true], [5, false]],
	['2:00 - 5:00', [3, true], [12, false]],
	['23:00-02:00', [22.99, false], [23, true], [0, true], [1.99, true], [2, false]],
	['18:30-24:00', [18, false], [23.99, true], [0, false]],
	['22:00-00:00', [21, false], [23.99, true], [0, false]],
])('%s', (text, ...times) => {
	const window = parseDailyWindow(text);
	if (!window) throw new Error('it is a window');
	for (const [hour, within] of times) {
		const minutes = Math.round((hour % 1) * 60);
		expect({ hour, within: isWithin(window, at(Math.floor(hour), Math.min(59, minutes))) }).toEqual({ hour, within });
	}
});

it('opens next today, or tomorrow', () => {
	const window = { fromMin: 120, toMin: 300 };
	expect(nextOpening(window, at(1))).toBe(at(2));
	expect(nextOpening(window, at(2))).toBe(at(2, 0, 11));
	expect(nextOpening(window, at(23))).toBe(at(2, 0, 11));
	expect(describeWindow(window)).toBe('02:00-05:00');
});

it.each(['', '2-5', '02:00', '25:00-26:00', '02:60-03:00', '02:00-02:00', '02:00-24:30', 'night'])('is not %j', (text) => {
	expect(parseDailyWindow(text)).toBeUndefined();
});
