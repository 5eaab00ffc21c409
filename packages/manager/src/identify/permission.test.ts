import { fakeClock } from '@shardctl/test-support';
import { describe, expect, it } from 'vitest';
import { LocalIdentifyCoordinator } from './local-coordinator.js';
import { acquireIdentify } from './permission.js';

function setUp({ remaining = 100, refused = false } = {}) {
	const clock = fakeClock();
	const coordinator = new LocalIdentifyCoordinator({ clock, reserve: 10 });
	void coordinator.update({ total: 1000, remaining, reset_after: 60_000, max_concurrency: 1 });
	const deferred: unknown[] = [];
	const abort = new AbortController();
	const answer = acquireIdentify(
		{ clock, coordinator, refused: () => refused, refresh: async () => {} },
		{ shardId: 0, automatic: true, onDeferred: (state) => deferred.push(state) },
		abort.signal,
	);
	return { clock, coordinator, deferred, abort, answer };
}

describe('acquireIdentify', () => {
	it('spends one identify with the slot', async () => {
		const { answer, coordinator } = setUp();
		await answer;
		expect(coordinator.budget().remaining).toBe(99);
	});

	it('waits for the reset when only the reserve is left, gives the slot to others meanwhile, and says so', async () => {
		const { answer, clock, coordinator, deferred } = setUp({ remaining: 10 });
		await clock.advance(0);
		expect(deferred).toHaveLength(1);
		const other = await coordinator.acquire({ shardId: 3, automatic: false }, new AbortController().signal);
		if (other.allowed) other.slot.release();
		expect(other.allowed).toBe(true);
		await clock.advance(60_000);
		await answer;
		expect(coordinator.budget().remaining).toBe(999);
	});

	it('never lets anybody identify after Discord refused for good, and leaves the slot free', async () => {
		const { answer, clock, abort, coordinator } = setUp({ refused: true });
		await clock.advance(120_000);
		expect(coordinator.budget().remaining).toBe(1000);
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
