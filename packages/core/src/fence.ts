// The order of fences, and the refusal of an older one.
import { ShardctlError } from './errors.js';

/** Negative when `a` is the older one. */
export function compareFences(a: string, b: string): number {
	return a.length === b.length ? (a < b ? -1 : Number(a > b)) : a.length - b.length;
}

export function isFence(text: string): boolean {
	return /^(?:0|[1-9]\d{0,29})$/.test(text);
}

export function fencedError(fence: string, newest: string): ShardctlError {
	return new ShardctlError(
		'FENCED',
		`refused to change saved state as holder ${fence}, because holder ${newest} has claimed it; this process was replaced`,
		{ details: { fence, newest } },
	);
}
