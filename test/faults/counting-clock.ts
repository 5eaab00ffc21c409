// The machine's clock, which knows how many of its timers are waiting: a fleet that has stopped must have none.
interface CountingClock {
	now(): number;
	monotonic(): number;
	setTimeout(callback: () => void, delayMs: number): object;
	clearTimeout(timer: unknown): void;
	/** How many timers are waiting. */
	pending(): number;
}

export function countingClock(): CountingClock {
	const waiting = new Set<unknown>();
	return {
		now: () => Date.now(),
		monotonic: () => performance.now(),
		setTimeout(callback, delayMs) {
			const timer = setTimeout(() => {
				waiting.delete(timer);
				callback();
			}, delayMs);
			waiting.add(timer);
			return timer;
		},
		clearTimeout(timer) {
			waiting.delete(timer);
			clearTimeout(timer as NodeJS.Timeout | undefined);
		},
		pending: () => waiting.size,
	};
}
