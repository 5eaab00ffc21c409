// What Discord never says is gone, and would pile up in a process that runs for months: threads long archived, and scheduled
// events long over. A fresh login lists neither; discord.js forgets archived threads after the same four hours.
import type { GuildRecord } from '../guild-record.js';
import { objectOf, type RawObject, stringOf } from '../raw.js';
import { isArchived } from './threads.js';

const archivedForMs = 4 * 3_600_000;
const overForMs = 24 * 3_600_000;

/** COMPLETED and CANCELED: https://discord.com/developers/docs/resources/guild-scheduled-event */
const overStatuses: ReadonlySet<unknown> = new Set([3, 4]);

function timeOf(value: unknown): number {
	return Date.parse(stringOf(value) ?? '');
}

function archivedLongAgo(thread: RawObject, now: number): boolean {
	return isArchived(thread) && now - timeOf(objectOf(thread.thread_metadata)?.archive_timestamp) >= archivedForMs;
}

function overLongAgo(event: RawObject, now: number): boolean {
	return overStatuses.has(event.status) && now - timeOf(event.scheduled_end_time ?? event.scheduled_start_time) >= overForMs;
}

export function dropStale(guild: GuildRecord, now: number): void {
	for (const [id, thread] of guild.threads) {
		if (archivedLongAgo(thread, now)) guild.removeThread(id);
	}
	for (const [id, event] of guild.scheduledEvents) {
		if (overLongAgo(event, now)) guild.scheduledEvents.delete(id);
	}
}
