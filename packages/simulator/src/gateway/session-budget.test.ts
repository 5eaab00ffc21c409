import { expect, test } from 'vitest';
import { dailySessionStarts, SessionBudget } from './session-budget.js';

test('starts the window with the first start and restores everything at its end', () => {
	const budget = new SessionBudget({ total: 2, windowMs: 1000, nowMs: 0 });
	expect(budget.read(500)).toEqual({ total: 2, remaining: 2, resetAfterMs: 0 });
	expect([budget.take(600), budget.take(700), budget.take(800)]).toEqual([true, true, false]);
	expect(budget.read(1599)).toEqual({ total: 2, remaining: 0, resetAfterMs: 1 });
	expect(budget.take(1600)).toBe(true);
	expect(budget.read(1600)).toEqual({ total: 2, remaining: 1, resetAfterMs: 1000 });
});

test('ends a running window at the given time', () => {
	const budget = new SessionBudget({ total: 5, remaining: 1, windowMs: 1000, resetAfterMs: 50, nowMs: 0 });
	expect(budget.read(49)).toEqual({ total: 5, remaining: 1, resetAfterMs: 1 });
	expect(budget.read(50).remaining).toBe(5);
});

test('the remaining starts can be set', () => {
	const budget = new SessionBudget({ total: 5, windowMs: 1000, nowMs: 0 });
	budget.set({ remaining: 0, resetAfterMs: 10 }, 0);
	expect([budget.take(9), budget.take(10)]).toEqual([false, true]);
});

test.each([
	[1, 1000],
	[150_000, 1000],
	[200_000, 2000],
	[400_000, 2000],
	[500_000, 2500],
	[1_000_000, 5000],
])('%d guilds have %d starts a day', (guilds, total) => {
	expect(dailySessionStarts(guilds)).toBe(total);
});
