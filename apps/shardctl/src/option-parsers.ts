// Turns the text of an option into its value. Throws commander's own error, with an example, for a text that cannot be read.
import bytes from 'bytes';
import { InvalidArgumentError } from 'commander';
import ms from 'ms';

/** Milliseconds: `30s` → 30000, `1500` → 1500; `off` is `Infinity`, which disables a limit, as `0` does. */
export function duration(text: string): number {
	const input = text.trim();
	if (isOff(input)) return Number.POSITIVE_INFINITY;
	const value = /^\d/.test(input) && input.length < 100 ? ms(input as ms.StringValue) : undefined;
	if (value !== undefined) return value;
	throw new InvalidArgumentError(`It must be a duration such as "500ms", "30s" or "2m", got "${input}".`);
}

/** Bytes, in powers of 1024: `512MB` → 536870912; `off` is `Infinity`, which disables a limit, as `0` does. */
export function size(text: string): number {
	const input = text.trim();
	if (isOff(input)) return Number.POSITIVE_INFINITY;
	const value = /^\d+(\.\d+)?\s*([kmgt]?b)?$/i.test(input) ? bytes.parse(input) : null;
	if (value !== null) return value;
	throw new InvalidArgumentError(`It must be a size such as "512MB" or "1GB", got "${input}".`);
}

/** A time in epoch ms: `10m` is ten minutes ago, `2026-11-30T01:00Z` is that time. */
export function moment(text: string): number {
	const input = text.trim();
	const ago = /^\d/.test(input) && input.length < 100 ? ms(input as ms.StringValue) : undefined;
	const at = ago === undefined ? Date.parse(input) : Date.now() - ago;
	if (!Number.isNaN(at)) return at;
	throw new InvalidArgumentError(`It must be a duration such as "10m" or a time such as "2026-11-30T01:00Z", got "${input}".`);
}

function isOff(input: string): boolean {
	return input === 'off' || input === 'Infinity';
}

/** A whole number of at least `min`. */
export function whole(min: number): (text: string) => number {
	return (text) => {
		const value = /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
		if (Number.isSafeInteger(value) && value >= min) return value;
		throw new InvalidArgumentError(`It must be a whole number from ${min}, got "${text}".`);
	};
}

/** A whole number from 1, or `auto`. */
export function wholeOrAuto(text: string): number | 'auto' {
	if (text === 'auto') return 'auto';
	try {
		return whole(1)(text);
	} catch {
		throw new InvalidArgumentError(`It must be a whole number from 1, or "auto", got "${text}".`);
	}
}
