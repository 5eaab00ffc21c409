// A clock that is read at most once in each turn of the event loop. A turn may bring hundreds of events, each of which is stamped, compared and
// aged, and reading the machine's clock so often was a twentieth of the processor time that an event takes.
import type { Clock } from '@shardctl/core';

/** Times as they were when this turn first read them; timers as they are. */
export function turnClock(clock: Clock): Clock {
	let now: number | undefined;
	let monotonic: number | undefined;
	const forget = () => {
		now = undefined;
		monotonic = undefined;
	};
	/** Runs before anything that could have waited. */
	const forgetSoon = () => {
		if (now === undefined && monotonic === undefined) process.nextTick(forget);
	};
	return {
		now() {
			forgetSoon();
			now ??= clock.now();
			return now;
		},
		monotonic() {
			forgetSoon();
			monotonic ??= clock.monotonic();
			return monotonic;
		},
		setTimeout: (callback, delayMs) => clock.setTimeout(callback, delayMs),
		clearTimeout: (timer) => clock.clearTimeout(timer),
	};
}
