// Which lists of GUILD_CREATE the state changes item by item, and what an item is known by.
// Source: https://discord.com/developers/docs/events/gateway-events#guild-create and the guild object.
import { type RawObject, stringOf, userIdOf } from './raw.js';

const byId = (item: RawObject) => stringOf(item.id);

export const guildLists = [
	{ key: 'roles', field: 'roles', idOf: byId },
	{ key: 'channels', field: 'channels', idOf: byId },
	{ key: 'threads', field: 'threads', idOf: byId },
	{ key: 'members', field: 'members', idOf: userIdOf },
	{ key: 'presences', field: 'presences', idOf: userIdOf },
	{ key: 'voice_states', field: 'voiceStates', idOf: (item: RawObject) => stringOf(item.user_id) },
	{ key: 'emojis', field: 'emojis', idOf: byId },
	{ key: 'stickers', field: 'stickers', idOf: byId },
	{ key: 'soundboard_sounds', field: 'soundboardSounds', idOf: (item: RawObject) => stringOf(item.sound_id) },
	{ key: 'stage_instances', field: 'stageInstances', idOf: byId },
	{ key: 'guild_scheduled_events', field: 'scheduledEvents', idOf: byId },
] as const;

export type GuildListField = (typeof guildLists)[number]['field'];

export const guildListKeys: ReadonlySet<string> = new Set(guildLists.map((list) => list.key));
