import { expect, test } from 'vitest';
import { RateWindow } from './rate-window.js';

test('enforces the limit in one window and resets it in the next', () => {
	const window = new RateWindow({ limit: 2, windowMs: 100, startedAtMs: 0 });
	expect([0, 50, 99].map((at) => window.take(at))).toEqual([true, true, false]);
	expect([100, 150, 199, 200].map((at) => window.take(at))).toEqual([true, true, false, true]);
});
