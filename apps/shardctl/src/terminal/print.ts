// How a command writes: results to standard output, progress and diagnostics to standard error. Both are filtered, so that no text from
// elsewhere controls the terminal. Only what draws on a screen of its own writes to a stream directly.
import { printable } from './printable.js';

/** A result. */
export function printOut(text: string): boolean {
	return process.stdout.write(printable(text));
}

/** Progress, a hint or an error. */
export function printErr(text: string): boolean {
	return process.stderr.write(printable(text));
}
