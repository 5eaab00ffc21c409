// GUILD_EMOJIS_UPDATE, GUILD_STICKERS_UPDATE, GUILD_SOUNDBOARD_*.
import type { GuildRecord } from '../guild-record.js';
import { upsert } from '../merge.js';
import { objectOf, objectsOf, type RawObject, stringOf } from '../raw.js';
import { sawUser, type Users } from '../users.js';
import type { PatchTable } from './patch.js';

/** The whole list, in which an item may leave out who made it: what was known of it stays. */
export function replaceExpressions(guild: GuildRecord, list: { key: 'emojis' | 'stickers'; value: unknown }, users: Users): void {
	const known = guild[list.key];
	const items = objectsOf(list.value).map((item) => ({ ...known.get(stringOf(item.id) ?? ''), ...item }));
	guild.replaceList(list.key, items);
	for (const item of items) sawAuthor(guild, item.user, users);
}

export function sawAuthor(guild: GuildRecord, author: unknown, users: Users): void {
	const user = objectOf(author);
	if (user) sawUser(guild, user, users);
}

function putSound(guild: GuildRecord, sound: RawObject, users: Users): void {
	const id = stringOf(sound.sound_id);
	if (id === undefined) return;
	upsert(guild.soundboardSounds, id, sound);
	sawAuthor(guild, sound.user, users);
}

/** Some sounds or all of them: neither says that others are gone. */
function putSounds(guild: GuildRecord, data: RawObject, users: Users): void {
	for (const sound of objectsOf(data.soundboard_sounds)) putSound(guild, sound, users);
}

export const expressionPatches: PatchTable = {
	GUILD_EMOJIS_UPDATE: (guild, data, users) => replaceExpressions(guild, { key: 'emojis', value: data.emojis }, users),
	GUILD_STICKERS_UPDATE: (guild, data, users) => replaceExpressions(guild, { key: 'stickers', value: data.stickers }, users),
	GUILD_SOUNDBOARD_SOUND_CREATE: putSound,
	GUILD_SOUNDBOARD_SOUND_UPDATE: putSound,
	GUILD_SOUNDBOARD_SOUND_DELETE(guild, data) {
		const id = stringOf(data.sound_id);
		if (id !== undefined) guild.soundboardSounds.delete(id);
	},
	GUILD_SOUNDBOARD_SOUNDS_UPDATE: putSounds,
	SOUNDBOARD_SOUNDS: putSounds,
};
