import { fakeClock } from '@shardctl/test-support';
import { describe, expect, it } from 'vitest';
import { IdentifyBudget } from './budget.js';
import { LocalIdentifyCoordinator } from './coordinator.js';
import { acquireIdentify } from './permission.js';

function setUp({ remaining = 100, refused = false } = {}) {
	const clock = fakeClock();
	const budget = new IdentifyBudget(clock, 10);
	budget.update({
		url: 'ws://x',
		shards: 1,
		session_start_limit: { total: 1000, remaining, reset_after: 60_000, max_concurrency: 1 },
	});
	const coordinator = new LocalIdentifyCoordinator({ clock, maxConcurrency: 1 });
	const deferred: unknown[] = [];
	const abort = new AbortController();
	const answer = acquireIdentify(
		{ clock, budget, coordinator, refused: () => refused, refresh: async () => {} },
		{ shardId: 0, automatic: true, onDeferred: (state) => deferred.push(state) },
		abort.signal,
	);
	return { clock, budget, coordinator, deferred, abort, answer };
}

describe('acquireIdentify', () => {
	it('spends one identify with the slot', async () => {
		const { answer, budget } = setUp();
		await answer;
		expect(budget.state().remaining).toBe(99);
	});

	it('waits for the reset when only the reserve is left, gives the slot to others meanwhile, and says so', async () => {
		const { answer, budget, clock, coordinator, deferred } = setUp({ remaining: 10 });
		await clock.advance(0);
		expect(deferred).toHaveLength(1);
		await expect(coordinator.acquire(3, new AbortController().signal).then((slot) => slot.release())).resolves.toBeUndefined();
		await clock.advance(60_000);
		await answer;
		expect(budget.state().remaining).toBe(999);
	});

	it('never lets anybody identify after Discord refused for good, and leaves the slot free', async () => {
		const { answer, clock, abort, budget, coordinator } = setUp({ refused: true });
		await clock.advance(120_000);
		expect(budget.state().remaining).toBe(1000);
		expect(coordinator.waits()).toEqual([]);
		abort.abort(new Error('ended'));
		await expect(answer).rejects.toThrow('ended');
	});

	it('ends a deferred wait, timer and all, when the worker dies', async () => {
		const { answer, clock, abort } = setUp({ remaining: 0 });
		await clock.advance(0);
		abort.abort(new Error('died'));
		await expect(answer).rejects.toThrow('died');
		expect(clock.pendingTimers()).toBe(0);
	});
});
