// Whether a bot has outgrown its sessions with Discord, for the summary of a fleet. Pure.
import type { SizingStats } from '@shardctl/core';
import { age } from '../terminal/age.js';
import { out } from '../terminal/colours.js';
import { plural } from '../terminal/count.js';
import { wrap } from '../terminal/wrap.js';

/** No line while it has enough of them: `▲ Discord recommends 16 sessions, and the fleet has 8: "shardctl reshard 16"`. */
export function sizingLines(sizing: SizingStats | undefined, { width, nowMs }: { width: number; nowMs: number }): string[] {
	if (!sizing?.outgrown) return [];
	const { message, remedy, automatic, advised, waitsFor, nextTryAt } = sizing;
	if (!automatic || advised === null) return wrap(`▲ ${message}: ${remedy}`, width).map(out.yellow);
	const what = `${message}; resharding to ${plural(advised, 'session')}`;
	if (waitsFor === null) return wrap(`${what} begins`, width).map(out.cyan);
	const next = nextTryAt === null ? '' : `; next try in ${age(Math.max(0, nextTryAt - nowMs))}`;
	return wrap(`${what} waits: ${waitsFor}${next}`, width).map(out.cyan);
}
