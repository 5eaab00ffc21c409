// A time of day during which something may begin, such as `02:00-05:00`, in the local time of the machine. Pure.

/** Minutes after midnight. An end that is not above the start is on the next day. */
export interface DailyWindow {
	readonly fromMin: number;
	readonly toMin: number;
}

const dayMin = 24 * 60;
const pattern = /^([01]?\d|2[0-3]):([0-5]\d)\s*-\s*([01]?\d|2[0-4]):([0-5]\d)$/;

/** Undefined for a text that is no window, and for one that is empty. */
export function parseDailyWindow(text: string): DailyWindow | undefined {
	const [, ...parts] = pattern.exec(text.trim()) ?? [];
	const [fromHour, fromMinute, toHour, toMinute] = parts.map(Number);
	if (fromHour === undefined || fromMinute === undefined || toHour === undefined || toMinute === undefined) return undefined;
	const [fromMin, toMin] = [fromHour * 60 + fromMinute, toHour * 60 + toMinute];
	return fromMin === toMin || toMin > dayMin ? undefined : { fromMin, toMin };
}

export function isWithin({ fromMin, toMin }: DailyWindow, at: number): boolean {
	const date = new Date(at);
	const minute = date.getHours() * 60 + date.getMinutes();
	return fromMin < toMin ? minute >= fromMin && minute < toMin : minute >= fromMin || minute < toMin;
}

/** Epoch ms of the next start of the window after `at`. */
export function nextOpening({ fromMin }: DailyWindow, at: number): number {
	const opening = new Date(at);
	opening.setHours(0, fromMin, 0, 0);
	if (opening.getTime() <= at) opening.setDate(opening.getDate() + 1);
	return opening.getTime();
}

/** `02:00-05:00`. */
export function describeWindow({ fromMin, toMin }: DailyWindow): string {
	return `${describeMinute(fromMin)}-${describeMinute(toMin)}`;
}

/** `02:00`. */
export function describeOpening({ fromMin }: DailyWindow): string {
	return describeMinute(fromMin);
}

function describeMinute(minutes: number): string {
	return [Math.floor(minutes / 60), minutes % 60].map((part) => String(part).padStart(2, '0')).join(':');
}
