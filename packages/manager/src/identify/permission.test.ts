import { ShardctlError } from '@shardctl/core';
import { fakeClock } from '@shardctl/test-support';
import { describe, expect, it } from 'vitest';
import { LocalIdentifyCoordinator } from './local-coordinator.js';
import { acquireIdentify } from './permission.js';

const refusal = new ShardctlError('DISCORD_FATAL', 'no');

function setUp({ remaining = 100, refused = false } = {}) {
	const clock = fakeClock();
	const coordinator = new LocalIdentifyCoordinator({ clock, reserve: 10 });
	void coordinator.update({ total: 1000, remaining, reset_after: 60_000, max_concurrency: 1 });
	const deferred: unknown[] = [];
	const ended: unknown[] = [];
	const abort = new AbortController();
	const answer = acquireIdentify(
		{ clock, coordinator, refused: () => (refused ? refusal : undefined), refresh: async () => {} },
		{
			shardId: 0,
			automatic: true,
			onDeferred: (state) => deferred.push(state),
			onRefused: (error) => ended.push(error),
		},
		abort.signal,
	);
	return { clock, coordinator, deferred, ended, abort, answer };
}

describe('acquireIdentify', () => {
	it('spends one identify with the slot', async () => {
		const { answer, coordinator } = setUp();
		await answer;
		expect(coordinator.budget().remaining).toBe(99);
	});

	it('waits for the reset when only the reserve is left, lets others use the slot until then, and reports it', async () => {
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

	it('B1: permits no IDENTIFY after Discord refused for good, rejects every request, and leaves the slot free', async () => {
		const { answer, clock, abort, coordinator, ended } = setUp({ refused: true });
		await clock.advance(120_000);
		expect(coordinator.budget().remaining).toBe(1000);
		expect(coordinator.waits()).toEqual([]);
		expect(ended).toEqual([refusal]);
		abort.abort(new Error('ended'));
		await expect(answer).rejects.toThrow('ended');
	});

	it('ends a deferred wait and its timer when the worker exits', async () => {
		const { answer, clock, abort } = setUp({ remaining: 0 });
		await clock.advance(0);
		abort.abort(new Error('died'));
		await expect(answer).rejects.toThrow('died');
		expect(clock.pendingTimers()).toBe(0);
	});
});
