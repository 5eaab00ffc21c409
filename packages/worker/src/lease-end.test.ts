import { expect, it, vi } from 'vitest';
import { LeaseEnd } from './lease-end.js';

it('ends the process when the lease was not renewed in time, and not before', () => {
	vi.useFakeTimers();
	try {
		const end = vi.fn<() => void>();
		const lease = new LeaseEnd({ machineClock: () => 1000 + performance.now(), end });
		const startedAt = 1000 + performance.now();
		lease.hear(startedAt + 4500);
		vi.advanceTimersByTime(1500);
		lease.hear(startedAt + 1500 + 4500);
		vi.advanceTimersByTime(4499);
		expect(end).not.toHaveBeenCalled();
		vi.advanceTimersByTime(1);
		expect(end).toHaveBeenCalledTimes(1);
	} finally {
		vi.useRealTimers();
	}
});
