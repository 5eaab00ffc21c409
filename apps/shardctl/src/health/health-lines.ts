// What is wrong with a fleet, for an operator: one line for each cause with since when, tries, next try and losses, and below it what to
// do. The verdict is the manager's. Pure.
import type { FleetHealth, HealthCause, ManagerStats } from '@shardctl/manager';
import { age } from '../terminal/age.js';
import { out, statusColour } from '../terminal/colours.js';
import { grouped, plural } from '../terminal/count.js';
import { printableLine } from '../terminal/printable.js';
import { clip } from '../terminal/table.js';
import { wrap } from '../terminal/wrap.js';
import { lossLines } from './loss-line.js';

const shownAtMost = 4;

/** The lines of the causes, in the order of the verdict; none for a healthy fleet. */
export function healthLines({ causes }: FleetHealth, { width, nowMs }: { width: number; nowMs: number }): string[] {
	const shown = causes.slice(0, shownAtMost);
	const more = causes.length - shown.length;
	return [
		...shown.flatMap((cause) => {
			const { colour, mark } = marks[cause.effect];
			const remedy = cause.remedy === null ? [] : wrap(`  → ${cause.remedy}`, width, '    ');
			return [...wrap(`${mark} ${causeText(cause, nowMs)}`, width).map(colour), ...remedy];
		}),
		...(more > 0 ? [clip(`and ${plural(more, 'more cause')}; see --json`, width)] : []),
	];
}

/** What `shardctl health` prints. */
export function healthText(
	{ name, health, losses }: { name: string; health: FleetHealth; losses?: ManagerStats['losses'] },
	size: { width: number; nowMs: number },
): string {
	const { status, served, shards } = health;
	const head = `${out.bold(name)}  ${statusColour(out, status)}  ${served}/${shards} shards served`;
	return `${[clip(head, size.width), ...healthLines(health, size), ...lossLines(losses, size)].join('\n')}\n`;
}

const marks = {
	outage: { mark: '✖', colour: out.red },
	risk: { mark: '▲', colour: out.yellow },
	progress: { mark: '●', colour: out.dim },
} as const;

/** `worker 1 (shards 2-3) is restarting: exit code 1; for 12s; 3 failed attempts, next try in 4s`. */
export function causeText({ kind, message, since, tries, nextTryAt, lost }: HealthCause, nowMs: number): string {
	// A worker that does not answer is replaced; everything else is tried again.
	const what = kind === 'worker-unresponsive' ? 'replaced' : 'next try';
	const next = nextTryAt !== null && nextTryAt > nowMs ? `${what} in ${age(nextTryAt - nowMs)}` : undefined;
	const tried = tries > 0 ? plural(tries, 'failed attempt') : undefined;
	return [
		printableLine(message),
		since === null ? undefined : `for ${age(nowMs - since)}`,
		[tried, next].filter(Boolean).join(', ') || undefined,
		lost > 0 ? `${grouped(lost)} events lost since its gateway process started` : undefined,
	]
		.filter((part) => part !== undefined)
		.join('; ');
}
