// The workers of a fleet with a queue, which have no shards: one row for each. Pure.
import type { ManagerStats, WorkerStats } from '@shardctl/manager';
import { age } from '../terminal/age.js';
import { out, statusColour } from '../terminal/colours.js';
import { grouped } from '../terminal/count.js';
import { printableLine } from '../terminal/printable.js';
import { type Column, tableLines } from '../terminal/table.js';

/** No line where the workers have shards, or there are none. */
export function queueWorkersTable(
	{ queue, workers }: ManagerStats,
	{ width, nowMs }: { width: number; nowMs: number },
): string[] {
	if (!queue || workers.length === 0) return [];
	const hasNodes = workers.some(({ node }) => node !== undefined);
	return tableLines(columns(nowMs, hasNodes), workers, { width, dim: out.dim });
}

function columns(nowMs: number, hasNodes: boolean): readonly Column<WorkerStats>[] {
	const figure = (
		title: string,
		of: (figures: NonNullable<WorkerStats['queue']>) => string,
		leaves?: number,
	): Column<WorkerStats> => ({
		title,
		cell: ({ queue }) => (queue ? of(queue) : '-'),
		align: 'right',
		...(leaves === undefined ? {} : { leaves }),
	});
	return [
		{ title: 'WORKER', cell: ({ id }) => String(id), align: 'right' },
		...(hasNodes ? [{ title: 'NODE', cell: ({ node }: WorkerStats) => printableLine(node ?? '-') }] : []),
		{ title: 'STATUS', cell: ({ state }) => statusColour(out, state) },
		{ title: 'GROUP', cell: ({ queue }) => (queue ? printableLine(queue.group) : '-') },
		figure('PARTITIONS', ({ partitions }) => String(partitions), 3),
		figure('IN HAND', ({ inHand }) => grouped(inHand)),
		figure('HANDLED', ({ handled }) => grouped(handled)),
		figure('REDELIVERED', ({ redelivered }) => grouped(redelivered), 1),
		figure('MISSED', ({ missed }) => grouped(missed), 2),
		figure('DEAD', ({ dead }) => grouped(dead), 4),
		{
			title: 'MEMORY',
			cell: ({ rssBytes }) => (rssBytes === null ? '-' : `${Math.round(rssBytes / 2 ** 20)} MB`),
			align: 'right',
			leaves: 5,
		},
		{ title: 'FOR', cell: ({ since }) => age(Math.max(0, nowMs - since)), align: 'right' },
		{ title: 'RESTARTS', cell: ({ restarts }) => String(restarts), align: 'right' },
		{ title: 'PID', cell: ({ pid }) => (pid === null ? '-' : String(pid)), align: 'right' },
	];
}
