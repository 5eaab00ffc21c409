// GUILD_MEMBER_*, GUILD_MEMBERS_CHUNK, and the members that other events carry along.
import type { GuildRecord } from '../guild-record.js';
import { mergeKeys, without } from '../merge.js';
import { objectOf, objectsOf, type RawObject, userIdOf } from '../raw.js';
import { sawUser, type Users } from '../users.js';
import type { PatchTable } from './patch.js';
import { putPresence } from './presences.js';

/** Adds a member or lays what is new over the known one. `member.user` must be there; `guild_id` and `permissions` are the event's. */
export function putMember(guild: GuildRecord, member: RawObject, users: Users): void {
	const user = objectOf(member.user);
	const id = userIdOf(member);
	if (!user || id === undefined) return;
	sawUser(guild, user, users);
	const known = guild.members.get(id);
	if (!known) {
		guild.members.set(id, without(member, 'guild_id', 'permissions'));
		return;
	}
	mergeKeys(known, without(member, 'user', 'guild_id', 'permissions'));
	// A member without a decoration says so by leaving the key out.
	if (!('avatar_decoration_data' in member)) delete known.avatar_decoration_data;
}

/** Changes the count as every client library does, also for members that are not known. */
function count(guild: GuildRecord, change: number): void {
	if (typeof guild.attributes.member_count === 'number') guild.attributes.member_count += change;
}

export const memberPatches: PatchTable = {
	GUILD_MEMBER_ADD(guild, data, users) {
		count(guild, 1);
		putMember(guild, data, users);
	},

	GUILD_MEMBER_UPDATE: putMember,

	GUILD_MEMBER_REMOVE(guild, data) {
		const id = userIdOf(data);
		if (id === undefined) return;
		count(guild, -1);
		guild.members.delete(id);
		guild.presences.delete(id);
		guild.voiceStates.delete(id);
	},

	GUILD_MEMBERS_CHUNK(guild, data, users) {
		for (const member of objectsOf(data.members)) putMember(guild, member, users);
		for (const presence of objectsOf(data.presences)) putPresence(guild, presence);
	},
};
