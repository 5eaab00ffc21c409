// GUILD_UPDATE. Guilds that are joined or left are handled by the shard's state.

import { guildListKeys } from '../guild-lists.js';
import type { GuildRecord } from '../guild-record.js';
import { prototypeKey } from '../merge.js';
import type { RawObject } from '../raw.js';
import type { Users } from '../users.js';
import { replaceExpressions } from './expressions.js';

/** Lays the guild object over what is known; the lists that it carries are whole. */
export function updateGuild(guild: GuildRecord, data: RawObject, users: Users): void {
	for (const key of Object.keys(data)) {
		if (key === 'emojis' || key === 'stickers') replaceExpressions(guild, { key, value: data[key] }, users);
		else if (guildListKeys.has(key)) guild.replaceList(key, data[key]);
		else if (key !== prototypeKey) guild.attributes[key] = data[key];
	}
	guild.attributes.unavailable = false;
}
