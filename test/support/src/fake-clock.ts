// A clock that does not advance until a test moves it. It has the shape of core's Clock, without depending on core, so that
// core's own tests can use it too.
import { createClock } from '@sinonjs/fake-timers';

export interface FakeClock {
	now(): number;
	monotonic(): number;
	setTimeout(callback: () => void, delayMs: number): object;
	clearTimeout(timer: unknown): void;
	/** Moves time forward, firing timers in order and letting promises settle between them. */
	advance(ms: number): Promise<void>;
	/** Jumps wall time, as an operator or NTP does; monotonic time and timers do not notice. */
	setNow(epochMs: number): void;
	/** How many timers are waiting: a test of tidiness. */
	pendingTimers(): number;
}

/** A fake clock that starts at `epochMs` with monotonic time 0. */
export function fakeClock(epochMs = 1_700_000_000_000): FakeClock {
	const clock = createClock(epochMs);
	let jumpedMs = 0;
	return {
		now: () => clock.now + jumpedMs,
		monotonic: () => clock.now - epochMs,
		setTimeout: (callback, delayMs) => clock.setTimeout(callback, delayMs) as object,
		clearTimeout: (timer) => clock.clearTimeout(timer as never),
		advance: async (ms) => {
			await clock.tickAsync(ms);
		},
		setNow: (epoch) => {
			jumpedMs = epoch - clock.now;
		},
		pendingTimers: () => clock.countTimers(),
	};
}
