// What a duration means to a timer: node fires a timer of more than 24.8 days at once, and 0 or Infinity turn an option off.

const longestTimerMs = 2 ** 31 - 1;

/** Whether an option of which 0 and `Infinity` mean "off" is on. */
export function isOn(value: number): boolean {
	return value > 0 && Number.isFinite(value);
}

/** The longest delay that a timer can take, at most `delayMs`. */
export function timerDelayMs(delayMs: number): number {
	return Math.min(delayMs, longestTimerMs);
}
