import type { SessionStartLimit } from '@shardctl/core';
import { fakeClock } from '@shardctl/test-support';
import { describe, expect, it } from 'vitest';
import { IdentifyBudget } from './budget.js';

function limit(parts: Partial<SessionStartLimit> = {}): SessionStartLimit {
	return { total: 1000, remaining: 1000, reset_after: 60_000, max_concurrency: 1, ...parts };
}

describe('IdentifyBudget', () => {
	it('lets a user spend everything, and automatic restarts only what is above the reserve', () => {
		const budget = new IdentifyBudget(fakeClock(), 50);
		budget.update(limit({ remaining: 51 }));
		expect(budget.check(1, { automatic: true })).toEqual({ allowed: true });
		budget.spend();
		expect(budget.check(1, { automatic: true })).toMatchObject({ allowed: false, retryInMs: 60_000 });
		expect(budget.check(50, { automatic: false })).toEqual({ allowed: true });
		expect(budget.check(51, { automatic: false })).toMatchObject({ allowed: false });
	});

	it('reports when the budget resets, in wall time', () => {
		const clock = fakeClock();
		const budget = new IdentifyBudget(clock, 0);
		budget.update(limit({ remaining: 0, reset_after: 5000 }));
		expect(budget.check(1, { automatic: true })).toEqual({ allowed: false, retryInMs: 5000, resetAt: clock.now() + 5000 });
	});

	it('is full again once after the reset, and not again with every spend', async () => {
		const clock = fakeClock();
		const budget = new IdentifyBudget(clock, 0);
		budget.update(limit({ total: 2, remaining: 0, reset_after: 5000 }));
		await clock.advance(5000);
		budget.spend();
		budget.spend();
		expect(budget.check(1, { automatic: true }).allowed).toBe(false);
		expect(budget.state()).toMatchObject({ total: 2, remaining: 0 });
	});

	it('ignores a reset time of 0 when starts are used up', () => {
		const budget = new IdentifyBudget(fakeClock(), 0);
		budget.update(limit({ remaining: 5, reset_after: 0 }));
		expect(budget.check(6, { automatic: false }).allowed).toBe(false);
		expect(budget.state().remaining).toBe(5);
	});

	it('is not affected by a step of the wall clock', async () => {
		const clock = fakeClock();
		const budget = new IdentifyBudget(clock, 0);
		budget.update(limit({ remaining: 0, reset_after: 5000 }));
		clock.setNow(clock.now() + 86_400_000);
		expect(budget.check(1, { automatic: true })).toMatchObject({ allowed: false, retryInMs: 5000 });
	});

	it('reserves at most a tenth of a small day', () => {
		const budget = new IdentifyBudget(fakeClock(), 50);
		budget.update(limit({ total: 20, remaining: 3 }));
		expect(budget.reserve).toBe(2);
		expect(budget.check(1, { automatic: true }).allowed).toBe(true);
	});

	it('keeps granted, unsent starts charged after a refresh, because Discord does not know of them', () => {
		const budget = new IdentifyBudget(fakeClock(), 0);
		budget.update(limit({ remaining: 10 }));
		budget.spend();
		budget.spend();
		budget.noteSent();
		budget.update(limit({ remaining: 9 }));
		expect(budget.state().remaining).toBe(8);
		budget.refund();
		expect(budget.state()).toMatchObject({ remaining: 9, granted: 2 });
	});
});
