// GUILD_MEMBER_*, GUILD_MEMBERS_CHUNK, and the members that other events carry along.
import type { GuildRecord } from '../guild-record.js';
import { mergeKeys, without } from '../merge.js';
import { objectOf, objectsOf, type RawObject, stringOf, userIdOf } from '../raw.js';
import { sawUser, type Users } from '../users.js';
import type { PatchTable } from './patch.js';
import { putPresence } from './presences.js';

/** Of what an event says about a member, what is no part of it, or is laid over the known one in a way of its own. */
const notLaidOver: ReadonlySet<string> = new Set(['user', 'guild_id', 'permissions']);

/** Adds a member or lays what is new over the known one. `user` is beside it in some events, and must be present. */
export function putMember(guild: GuildRecord, member: RawObject, users: Users, user = objectOf(member.user)): void {
	const id = stringOf(user?.id);
	if (!user || id === undefined) return;
	sawUser(guild, user, users);
	const known = guild.members.get(id);
	if (!known) {
		guild.members.set(id, { ...without(member, 'guild_id', 'permissions'), user });
		return;
	}
	mergeKeys(known, member, notLaidOver);
	// A member without a decoration is sent without the key.
	if ('avatar_decoration_data' in known && !('avatar_decoration_data' in member)) delete known.avatar_decoration_data;
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

	GUILD_MEMBER_UPDATE: (guild, data, users) => putMember(guild, data, users),

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
