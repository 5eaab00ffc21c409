// Numbers, sizes and times for people, in the notation of the browser's language. Pure.

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
	return `${whole.format(value)} ${noun}${value === 1 ? '' : 's'}`;
}

/** `45s`, `12m`, `3h 5m`, `2d 4h`. */
export function age(ms: number): string {
	const seconds = Math.max(0, Math.floor(ms / 1000));
	if (seconds < 60) return `${seconds}s`;
	const minutes = Math.floor(seconds / 60);
	if (minutes < 60) return `${minutes}m`;
	const hours = Math.floor(minutes / 60);
	return hours < 24 ? `${hours}h ${minutes % 60}m` : `${Math.floor(hours / 24)}d ${hours % 24}h`;
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

/** `0-3,7` */
export function shardRange(ids: readonly number[]): string {
	const parts: string[] = [];
	for (let i = 0; i < ids.length; i++) {
		const from = ids[i] as number;
		while (ids[i + 1] === (ids[i] as number) + 1) i++;
		parts.push(from === ids[i] ? String(from) : `${from}-${ids[i]}`);
	}
	return parts.join(', ');
}

/** `shard 3`, `shards 0-3`. */
export function shardNames(ids: readonly number[]): string {
	return `shard${ids.length === 1 ? '' : 's'} ${shardRange(ids)}`;
}
