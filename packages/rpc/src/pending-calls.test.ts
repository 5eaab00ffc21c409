import { fakeClock } from '@shardctl/test-support';
import { describe, expect, it, vi } from 'vitest';
import { type PendingCall, PendingCalls } from './pending-calls.js';

function tableUnderTest() {
	const clock = fakeClock();
	const expired: [id: number, atMs: number][] = [];
	const calls = new PendingCalls(clock, (id) => {
		expired.push([id, clock.monotonic()]);
		calls.reject(id, new Error('too late'));
	});
	const add = (timeoutMs: number, unlink?: () => void) => {
		const id = calls.nextId();
		const call: PendingCall = {
			method: 'm',
			resolve: vi.fn<(value: unknown) => void>(),
			reject: vi.fn<(reason: unknown) => void>(),
			timeoutMs,
			entry: null,
			unlink,
		};
		calls.add(id, call);
		return { id, call };
	};
	return { calls, clock, expired, add };
}

describe('the table of pending calls', () => {
	it('lets each call expire at its own deadline, in whatever order they were made', async () => {
		const { clock, expired, add } = tableUnderTest();
		for (const timeoutMs of [300, 100, 200, 100]) add(timeoutMs);
		await clock.advance(50);
		add(60);
		await clock.advance(1000);
		expect(expired).toEqual([
			[2, 100],
			[4, 100],
			[5, 110],
			[3, 200],
			[1, 300],
		]);
	});

	it('needs one timer for all calls of one timeout, and none when the last is answered', () => {
		const { calls, clock, add } = tableUnderTest();
		const ids = [300, 100, 300, 300, 100].map((timeoutMs) => add(timeoutMs).id);
		expect(clock.pendingTimers()).toBe(2);
		for (const id of ids) expect(calls.resolve(id, 'answer')).toBe(true);
		expect(clock.pendingTimers()).toBe(0);
	});

	it('keeps the deadlines of calls that outlive an older one', async () => {
		const { calls, clock, expired, add } = tableUnderTest();
		const { id: first } = add(100);
		await clock.advance(40);
		add(100);
		calls.resolve(first, 'answer');
		await clock.advance(100);
		expect(expired).toEqual([[2, 140]]);
		expect(clock.pendingTimers()).toBe(0);
	});

	it.each([0, Number.POSITIVE_INFINITY])('gives a call of timeout %d all the time', async (timeoutMs) => {
		const { calls, clock, expired, add } = tableUnderTest();
		add(timeoutMs);
		expect(clock.pendingTimers()).toBe(0);
		await clock.advance(10_000_000);
		expect({ expired, size: calls.size }).toEqual({ expired: [], size: 1 });
	});

	it('keeps a deadline that is further away than a timer can be set', async () => {
		const { clock, expired, add } = tableUnderTest();
		const monthMs = 31 * 24 * 3_600_000;
		add(monthMs);
		await clock.advance(monthMs - 1);
		expect(expired).toEqual([]);
		await clock.advance(1);
		expect(expired).toEqual([[1, monthMs]]);
	});

	it('settles a call once, and ends its link to the signal', () => {
		const { calls, add } = tableUnderTest();
		const unlink = vi.fn<() => void>();
		const { id, call } = add(100, unlink);
		expect([calls.resolve(id, 5), calls.resolve(id, 6), calls.reject(id, 7)]).toEqual([true, false, false]);
		expect(call.resolve).toHaveBeenCalledExactlyOnceWith(5);
		expect(call.reject).not.toHaveBeenCalled();
		expect(unlink).toHaveBeenCalledOnce();
	});
});
