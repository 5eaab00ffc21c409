// Time as a value that is passed in, so that windows, backoff and timeouts are tested without sleeping.

/** A timer that a {@link Clock} started; opaque to everyone but that clock. */
export type Timer = NodeJS.Timeout | number | object;

export interface Clock {
	/** Milliseconds since the epoch, for what people and Discord read. May jump when the machine's time is set. */
	now(): number;
	/** Milliseconds that never go back, for every duration, window and deadline. */
	monotonic(): number;
	setTimeout(callback: () => void, delayMs: number): Timer;
	clearTimeout(timer: Timer | undefined): void;
}

/** The machine's own clock. */
export const systemClock: Clock = {
	now: () => Date.now(),
	monotonic: () => performance.now(),
	setTimeout: (callback, delayMs) => setTimeout(callback, delayMs),
	clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout | undefined),
};

/** Resolves after `delayMs` on the given clock; rejects with the signal's reason when it is aborted first. */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
	return new Promise((resolve, reject) => {
		if (signal?.aborted) {
			reject(signal.reason);
			return;
		}
		const onAbort = () => {
			clock.clearTimeout(timer);
			reject(signal?.reason);
		};
		const timer = clock.setTimeout(() => {
			signal?.removeEventListener('abort', onAbort);
			resolve();
		}, delayMs);
		signal?.addEventListener('abort', onAbort, { once: true });
	});
}

/** Calls `act` every `intervalMs` on the given clock, first after one interval, until the returned function is called. */
export function every(clock: Clock, intervalMs: number, act: () => void): () => void {
	let timer = clock.setTimeout(tick, intervalMs);
	function tick() {
		timer = clock.setTimeout(tick, intervalMs);
		act();
	}
	return () => clock.clearTimeout(timer);
}
