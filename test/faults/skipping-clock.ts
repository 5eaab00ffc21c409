// The machine's clock, of which a test can skip a while: what was asked or known before is that much older then. Timers run as they are.

export function skippingClock() {
	let skippedMs = 0;
	return {
		now: () => Date.now(),
		monotonic: () => performance.now() + skippedMs,
		setTimeout: (callback: () => void, delayMs: number) => setTimeout(callback, delayMs),
		clearTimeout: (timer: unknown) => clearTimeout(timer as NodeJS.Timeout | undefined),
		skip(ms: number): void {
			skippedMs += ms;
		},
	};
}
