// Numbers, sizes and times for people, in the notation of the browser's language. Pure.

import { describeShards, formatShardIds, plural as pluralOf } from '@shardctl/core/text';

export { age } from '@shardctl/core/text';

const whole = new Intl.NumberFormat(undefined, { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 });
const compact = new Intl.NumberFormat(undefined, { notation: 'compact', maximumFractionDigits: 1 });
const time = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const dayAndTime = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
const shortTime = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });

/** What is not known. */
export const unknown = '–';

export function count(value: number | null | undefined): string {
	return value === null || value === undefined ? unknown : whole.format(value);
}

/** `1.2M` where every digit would be too long. */
export function shortCount(value: number | null | undefined): string {
	return value === null || value === undefined ? unknown : value < 100_000 ? whole.format(value) : compact.format(value);
}

export function decimal(value: number | null | undefined, unit = ''): string {
	return value === null || value === undefined ? unknown : `${(value < 10 ? short : whole).format(value)}${unit}`;
}

export function milliseconds(value: number | null | undefined): string {
	return decimal(value, ' ms');
}

export function bytes(value: number | null | undefined): string {
	if (value === null || value === undefined) return unknown;
	return value < 2 ** 30 ? `${whole.format(value / 2 ** 20)} MB` : `${short.format(value / 2 ** 30)} GB`;
}

export function plural(value: number, noun: string): string {
	return pluralOf(value, noun, whole.format(value));
}

export function clockTime(at: number): string {
	return time.format(at);
}

export function clockMinute(at: number): string {
	return shortTime.format(at);
}

export function fullTime(at: number): string {
	return dayAndTime.format(at);
}

/** `0-3, 7` */
export function shardRange(ids: readonly number[]): string {
	return formatShardIds(ids).replaceAll(',', ', ');
}

/** `shard 3`, `shards 0-3`. */
export function shardNames(ids: readonly number[]): string {
	return describeShards(ids).replaceAll(',', ', ');
}
