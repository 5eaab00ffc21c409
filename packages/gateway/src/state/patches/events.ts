// STAGE_INSTANCE_* and GUILD_SCHEDULED_EVENT_*.
import type { GuildRecord } from '../guild-record.js';
import { upsert } from '../merge.js';
import { type RawObject, stringOf } from '../raw.js';
import type { Users } from '../users.js';
import { sawAuthor } from './expressions.js';
import type { PatchTable } from './patch.js';

function putStage(guild: GuildRecord, data: RawObject): void {
	const id = stringOf(data.id);
	if (id !== undefined && guild.channels.has(stringOf(data.channel_id) ?? '')) upsert(guild.stageInstances, id, data);
}

function putScheduledEvent(guild: GuildRecord, data: RawObject, users: Users): void {
	const id = stringOf(data.id);
	if (id === undefined) return;
	upsert(guild.scheduledEvents, id, data);
	sawAuthor(guild, data.creator, users);
}

/** GUILD_CREATE carries no number of interested users; where an object has one nevertheless, it is kept right. */
function countInterested(guild: GuildRecord, data: RawObject, change: number): void {
	const event = guild.scheduledEvents.get(stringOf(data.guild_scheduled_event_id) ?? '');
	if (typeof event?.user_count === 'number') event.user_count += change;
}

export const eventPatches: PatchTable = {
	STAGE_INSTANCE_CREATE: putStage,
	STAGE_INSTANCE_UPDATE: putStage,
	STAGE_INSTANCE_DELETE(guild, data) {
		const id = stringOf(data.id);
		if (id !== undefined) guild.stageInstances.delete(id);
	},

	GUILD_SCHEDULED_EVENT_CREATE: putScheduledEvent,
	GUILD_SCHEDULED_EVENT_UPDATE: putScheduledEvent,
	GUILD_SCHEDULED_EVENT_DELETE(guild, data) {
		const id = stringOf(data.id);
		if (id !== undefined) guild.scheduledEvents.delete(id);
	},
	GUILD_SCHEDULED_EVENT_USER_ADD: (guild, data) => countInterested(guild, data, 1),
	GUILD_SCHEDULED_EVENT_USER_REMOVE: (guild, data) => countInterested(guild, data, -1),
};
