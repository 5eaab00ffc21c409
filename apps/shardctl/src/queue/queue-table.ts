// The event queue as tables for people. Pure, but for the width of the terminal.
import { type DeadEvent, describeShards, type QueueGroupStats, type QueueStats, unwrittenRemedy } from '@shardctl/core';
import { age } from '../terminal/age.js';
import { out } from '../terminal/colours.js';
import { grouped, plural } from '../terminal/count.js';
import { printableLine } from '../terminal/printable.js';
import { type Column, tableLines } from '../terminal/table.js';
import { outputWidth } from '../terminal/width.js';

/** One row for each group, and under it what is true for all of them. */
export function queueText(stats: QueueStats, width = outputWidth(process.stdout)): string {
	const { connected, groups } = stats;
	const lines =
		groups.length === 0
			? [out.dim('No group of workers has subscribed yet.')]
			: tableLines(columns(stats), groups, { width, dim: out.dim });
	const notes = connected ? [] : [out.red('Redis does not answer; these are the last figures.')];
	notes.push(...unwrittenNotes(stats));
	return `${[...lines, '', out.dim(queueLine(stats)), ...notes].join('\n')}\n`;
}

function unwrittenNotes({ unwritten }: QueueStats): string[] {
	if (!unwritten) return [];
	const { shardIds, since, error, waiting } = unwritten;
	const lasting = age(Math.max(0, Date.now() - since));
	return [
		out.red(
			`Not written for ${lasting}: ${grouped(waiting)} events of ${describeShards(shardIds)} wait in their gateway processes.`,
		),
		out.red(`${printableLine(error)}: ${unwrittenRemedy(error)}.`),
	];
}

/** For the summary of a fleet: `queue 12 events/s`, then of each group `commands: 2 workers, 3 waiting for up to 5s`. */
export function queueSummary(stats: QueueStats): string[] {
	const behind = stats.groups.map(
		({ group, lag, members, oldestAgeMs }) =>
			`${printableLine(group)}: ${plural(members, 'worker')}, ${lag === 0 ? 'nothing' : grouped(lag)} waiting${lag === 0 ? '' : ` for up to ${age(oldestAgeMs)}`}`,
	);
	const shown = behind.slice(0, mostGroups);
	const more = behind.length > shown.length ? [`${behind.length - shown.length} more groups`] : [];
	return [
		`queue ${rate(stats.writtenPerSecond)} events/s${stats.connected ? '' : ' (Redis does not answer)'}`,
		...shown,
		...more,
	];
}

const mostGroups = 4;

function queueLine({ shards, partitionsPerShard, written, writtenPerSecond, deferred, deferFailed }: QueueStats): string {
	if (shards === 0) return 'no fleet has written to this queue yet';
	const partitions = `${plural(shards, 'shard')} in ${plural(shards * partitionsPerShard, 'partition')}`;
	const isDeferring = deferred > 0 || deferFailed > 0;
	const outcomes = isDeferring ? `; ${plural(deferred, 'interaction')} deferred, ${grouped(deferFailed)} not` : '';
	return `${grouped(written)} events written, ${rate(writtenPerSecond)}/s; ${partitions}${outcomes}`;
}

function columns({ shards, partitionsPerShard }: QueueStats): readonly Column<QueueGroupStats>[] {
	const all = shards * partitionsPerShard;
	return [
		{ title: 'GROUP', cell: ({ group }) => out.bold(printableLine(group)) },
		{ title: 'WORKERS', cell: ({ members }) => (members === 0 ? out.yellow('0') : String(members)), align: 'right' },
		{ title: 'PARTITIONS', cell: ({ partitions }) => `${partitions}/${all}`, align: 'right', leaves: 4 },
		{ title: 'LAG', cell: ({ lag }) => grouped(lag), align: 'right' },
		{ title: 'OLDEST', cell: ({ lag, oldestAgeMs }) => (lag === 0 ? '-' : age(oldestAgeMs)), align: 'right' },
		{ title: 'IN HAND', cell: ({ pending }) => grouped(pending), align: 'right', leaves: 3 },
		{ title: 'OUT/S', cell: ({ handledPerSecond }) => rate(handledPerSecond), align: 'right', leaves: 1 },
		{ title: 'REDELIVERED', cell: ({ redelivered }) => grouped(redelivered), align: 'right', leaves: 2 },
		{ title: 'EXPIRED', cell: ({ expired }) => (expired > 0 ? out.yellow(grouped(expired)) : '0'), align: 'right', leaves: 2 },
		{ title: 'MISSED', cell: ({ missed }) => (missed > 0 ? out.yellow(grouped(missed)) : '0'), align: 'right' },
		{ title: 'DEAD', cell: ({ dead }) => (dead > 0 ? out.yellow(grouped(dead)) : '0'), align: 'right' },
	];
}

/** The events that were given up. */
export function deadText(events: readonly DeadEvent[], nowMs: number, width = outputWidth(process.stdout)): string {
	if (events.length === 0) return `${out.dim('No event was given up.')}\n`;
	const deadColumns: readonly Column<DeadEvent>[] = [
		{ title: 'ID', cell: ({ id }) => id },
		{ title: 'AGE', cell: ({ at }) => age(Math.max(0, nowMs - at)), align: 'right' },
		{ title: 'GROUP', cell: ({ group }) => printableLine(group) },
		{ title: 'EVENT', cell: ({ type }) => printableLine(type) },
		{ title: 'GUILD', cell: ({ guildId }) => guildId ?? '-', leaves: 1 },
		{ title: 'REASON', cell: ({ reason }) => printableLine(reason.split('\n', 1)[0] ?? '') },
	];
	return `${tableLines(deadColumns, events, { width, dim: out.dim }).join('\n')}\n`;
}

function rate(perSecond: number): string {
	return perSecond > 0 && perSecond < 10 ? perSecond.toFixed(1) : grouped(Math.round(perSecond));
}
