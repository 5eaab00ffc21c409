import { ShardctlError } from '@shardctl/core';
import { fakeClock } from '@shardctl/test-support';
import { describe, expect, it, vi } from 'vitest';
import { PendingCalls } from './pending-calls.js';

function aCall({ method = 'm', timeoutMs = 1000 } = {}) {
	return {
		method,
		resolve: vi.fn<(value: unknown) => void>(),
		reject: vi.fn<(reason: unknown) => void>(),
		timeoutMs,
		onTimeout: vi.fn<() => void>(),
		unlink: vi.fn<() => void>(),
	};
}

describe('a pending call', () => {
	it('settles once; its timer and its link to the signal end with it', () => {
		const clock = fakeClock();
		const calls = new PendingCalls(clock);
		const call = aCall();
		const id = calls.nextId();
		calls.add(id, call);
		expect(clock.pendingTimers()).toBe(1);
		expect(calls.resolve(id, 5)).toBe(true);
		expect(calls.resolve(id, 6)).toBe(false);
		expect(calls.reject(id, 7)).toBe(false);
		expect(call.resolve.mock.calls).toEqual([[5]]);
		expect(call.reject).not.toHaveBeenCalled();
		expect(call.unlink).toHaveBeenCalledTimes(1);
		expect(clock.pendingTimers()).toBe(0);
		expect(calls.size).toBe(0);
	});

	it.each([0, Number.POSITIVE_INFINITY])('with the deadline %s has no timer', (timeoutMs) => {
		const clock = fakeClock();
		const calls = new PendingCalls(clock);
		calls.add(calls.nextId(), aCall({ timeoutMs }));
		expect(clock.pendingTimers()).toBe(0);
	});

	it('with a deadline longer than a timer can be does not time out at once', () => {
		const setTimeout = vi.fn<(callback: () => void, delayMs: number) => object>(() => ({}));
		const calls = new PendingCalls({ ...fakeClock(), setTimeout });
		calls.add(calls.nextId(), aCall({ timeoutMs: 1e12 }));
		expect(setTimeout.mock.calls[0]?.[1]).toBe(2 ** 31 - 1);
	});

	it('is rejected with an error of its own when all are', () => {
		const clock = fakeClock();
		const calls = new PendingCalls(clock);
		const [a, b] = [aCall({ method: 'a' }), aCall({ method: 'b' })];
		calls.add(calls.nextId(), a);
		calls.add(calls.nextId(), b);
		calls.rejectAll((method) => new ShardctlError('CHANNEL_CLOSED', method));
		expect(a.reject.mock.calls).toMatchObject([[{ message: 'a' }]]);
		expect(b.reject.mock.calls).toMatchObject([[{ message: 'b' }]]);
		expect(calls.size).toBe(0);
		expect(clock.pendingTimers()).toBe(0);
	});

	it('never gets an id that was used before', () => {
		const calls = new PendingCalls(fakeClock());
		const first = calls.nextId();
		calls.add(first, aCall());
		calls.resolve(first, 1);
		expect(calls.nextId()).toBeGreaterThan(first);
	});
});
