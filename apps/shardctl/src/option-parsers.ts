// Turns what people type behind an option into values, with commander's own error for what cannot be read.
import { type Parsed, parseDurationMs, parseSizeBytes } from '@shardctl/core';
import { InvalidArgumentError } from 'commander';

function orThrow<T>(parsed: Parsed<T>): T {
	if ('problem' in parsed) throw new InvalidArgumentError(`It must be ${parsed.problem}.`);
	return parsed.value;
}

/** `30s` → 30000 */
export const duration = (text: string): number => orThrow(parseDurationMs(text));

/** `512MB` → 536870912 */
export const size = (text: string): number => orThrow(parseSizeBytes(text));

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
