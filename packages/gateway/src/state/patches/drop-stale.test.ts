import { expect, it } from 'vitest';
import { GuildRecord } from '../guild-record.js';
import { dropStale } from './drop-stale.js';

const now = Date.parse('2026-11-20T12:00:00Z');
const archivedAt = (archive_timestamp: string) => ({ archived: true, archive_timestamp });

it('removes threads archived for four hours, and scheduled events that ended a day ago', () => {
	const guild = new GuildRecord({
		id: '10',
		threads: [
			{ id: '1', thread_metadata: archivedAt('2026-11-20T08:00:00Z') },
			{ id: '2', thread_metadata: archivedAt('2026-11-20T08:00:01Z') },
			{ id: '3', thread_metadata: { archived: false, archive_timestamp: '2020-01-01T00:00:00Z' } },
			{ id: '4', thread_metadata: { archived: true } },
		],
		guild_scheduled_events: [
			{ id: '5', status: 3, scheduled_start_time: '2026-11-18T12:00:00Z', scheduled_end_time: '2026-11-19T12:00:01Z' },
			{ id: '6', status: 4, scheduled_start_time: '2026-11-19T12:00:00Z', scheduled_end_time: null },
			{ id: '7', status: 2, scheduled_start_time: '2026-11-01T12:00:00Z' },
		],
	});
	dropStale(guild, now);
	expect([...guild.threads.keys()]).toEqual(['2', '3', '4']);
	expect([...guild.scheduledEvents.keys()]).toEqual(['5', '7']);
});
