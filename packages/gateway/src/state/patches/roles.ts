// GUILD_ROLE_*.
import type { GuildRecord } from '../guild-record.js';
import { upsert } from '../merge.js';
import { objectOf, type RawObject, stringOf } from '../raw.js';
import type { PatchTable } from './patch.js';

function putRole(guild: GuildRecord, role: RawObject, id: string): void {
	const known = upsert(guild.roles, id, role);
	// A role without tags is sent without the key.
	if (!('tags' in role)) delete known.tags;
}

export const rolePatches: PatchTable = {
	GUILD_ROLE_CREATE(guild, data) {
		const role = objectOf(data.role);
		const id = stringOf(role?.id);
		if (role && id !== undefined) putRole(guild, role, id);
	},

	GUILD_ROLE_UPDATE(guild, data) {
		const role = objectOf(data.role);
		const id = stringOf(role?.id);
		// An update that arrives after the deletion must not bring the role back.
		if (role && id !== undefined && guild.roles.has(id)) putRole(guild, role, id);
	},

	GUILD_ROLE_DELETE(guild, data) {
		const id = stringOf(data.role_id);
		if (id !== undefined) guild.roles.delete(id);
	},
};
