// CHANNEL_* and the events that change single fields of a channel.
import type { GuildRecord } from '../guild-record.js';
import { mergeKeys, upsert } from '../merge.js';
import { objectsOf, type RawObject, stringOf } from '../raw.js';
import type { PatchTable } from './patch.js';

/** A channel or a thread: they share one space of ids. */
export function channelOf(guild: GuildRecord, id: unknown): RawObject | undefined {
	const key = stringOf(id);
	return key === undefined ? undefined : (guild.channels.get(key) ?? guild.threads.get(key));
}

/** Sets the fields that have events of their own; CHANNEL_UPDATE leaves them out. */
function setVoiceFields(guild: GuildRecord, data: RawObject): void {
	const channel = channelOf(guild, data.id);
	if (!channel) return;
	if ('status' in data) channel.status = data.status;
	if ('voice_start_time' in data) channel.voice_start_time = data.voice_start_time;
}

export const channelPatches: PatchTable = {
	CHANNEL_CREATE(guild, data) {
		const id = stringOf(data.id);
		if (id !== undefined) upsert(guild.channels, id, data);
	},

	CHANNEL_UPDATE(guild, data) {
		const id = stringOf(data.id);
		if (id === undefined) return;
		const known = guild.channels.get(id);
		// A channel that became of another type keeps nothing that only the old type had.
		if (!known || known.type !== data.type) guild.channels.set(id, { ...data });
		else mergeKeys(known, data);
	},

	CHANNEL_DELETE(guild, data) {
		const id = stringOf(data.id);
		if (id === undefined) return;
		guild.channels.delete(id);
		for (const [threadId, thread] of guild.threads) {
			if (thread.parent_id === id) guild.removeThread(threadId);
		}
	},

	CHANNEL_PINS_UPDATE(guild, data) {
		const channel = channelOf(guild, data.channel_id);
		if (channel) channel.last_pin_timestamp = data.last_pin_timestamp ?? null;
	},

	VOICE_CHANNEL_STATUS_UPDATE: setVoiceFields,
	VOICE_CHANNEL_START_TIME_UPDATE: setVoiceFields,

	CHANNEL_INFO(guild, data) {
		for (const channel of objectsOf(data.channels)) setVoiceFields(guild, channel);
	},
};
