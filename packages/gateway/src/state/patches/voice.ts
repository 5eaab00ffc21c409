// VOICE_STATE_UPDATE.
import { without } from '../merge.js';
import { objectOf, stringOf } from '../raw.js';
import { putMember } from './members.js';
import type { PatchTable } from './patch.js';

export const voicePatches: PatchTable = {
	VOICE_STATE_UPDATE(guild, data, users) {
		const id = stringOf(data.user_id);
		if (id === undefined) return;
		// A voice state is always sent whole. GUILD_CREATE lists those who are in a channel, without the member.
		if (stringOf(data.channel_id) === undefined) guild.voiceStates.delete(id);
		else guild.voiceStates.set(id, without(data, 'guild_id', 'member'));
		const member = objectOf(data.member);
		if (member && (guild.members.has(id) || stringOf(member.joined_at) !== undefined)) putMember(guild, member, users);
	},
};
