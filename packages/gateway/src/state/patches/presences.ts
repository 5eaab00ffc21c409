// PRESENCE_UPDATE.
import type { GuildRecord } from '../guild-record.js';
import { objectOf, type RawObject, userIdOf } from '../raw.js';
import { sawUser } from '../users.js';
import type { PatchTable } from './patch.js';

/** Keeps a presence as GUILD_CREATE lists it: only of those who are not offline, and with no more of the user than the id. */
export function putPresence(guild: GuildRecord, presence: RawObject): void {
	const id = userIdOf(presence);
	if (id === undefined) return;
	if (presence.status === 'offline') {
		guild.presences.delete(id);
		return;
	}
	const kept: RawObject = { ...presence, user: { id } };
	delete kept.guild_id;
	guild.presences.set(id, kept);
}

export const presencePatches: PatchTable = {
	PRESENCE_UPDATE(guild, data, users) {
		const user = objectOf(data.user);
		const id = userIdOf(data);
		if (!user || id === undefined) return;
		sawUser(guild, user, users);
		if (!guild.members.has(id)) {
			// Large guilds: presences also arrive for members that no event has mentioned. discord.js drops those of users it has never
			// seen, and takes a user it knows from elsewhere for a member.
			const known = 'username' in user ? user : users.find(id);
			if (!known) return;
			if (data.status !== 'offline')
				guild.members.set(id, { user: { ...known }, roles: [], joined_at: null, deaf: false, mute: false });
		}
		putPresence(guild, data);
	},
};
