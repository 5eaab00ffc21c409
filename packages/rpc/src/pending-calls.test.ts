import { fakeClock } from '@shardctl/test-support';
import { describe, expect, it, vi } from 'vitest';
import { PendingCalls } from './pending-calls.js';

function tableUnderTest() {
	const clock = fakeClock();
	const calls = new PendingCalls(clock);
	const add = (timeoutMs: number) => {
		const settle = { resolve: vi.fn<(value: unknown) => void>(), reject: vi.fn<(reason: unknown) => void>() };
		return calls.add({ method: 'm', timeoutMs, settle, onExpired: (call) => calls.reject(call.id, new Error('too late')) });
	};
	return { calls, clock, add };
}

describe('the table of pending calls', () => {
	it('numbers calls from 1 up', () => {
		const { add } = tableUnderTest();
		expect([add(100).id, add(100).id, add(50).id]).toEqual([1, 2, 3]);
	});

	it('settles a call once, and removes its signal listener and its deadline', () => {
		const { calls, clock, add } = tableUnderTest();
		const call = add(100);
		call.unlink = vi.fn<() => void>();
		expect([calls.take(call.id) === call, calls.take(call.id), calls.reject(call.id, 7)]).toEqual([true, undefined, false]);
		expect(call.settle.reject).not.toHaveBeenCalled();
		expect(call.unlink).toHaveBeenCalledOnce();
		expect({ timers: clock.pendingTimers(), size: calls.size }).toEqual({ timers: 0, size: 0 });
	});

	it('reports a call whose deadline has passed', async () => {
		const { calls, clock, add } = tableUnderTest();
		const call = add(100);
		await clock.advance(100);
		expect(call.settle.reject).toHaveBeenCalledExactlyOnceWith(new Error('too late'));
		expect(calls.size).toBe(0);
	});
});
