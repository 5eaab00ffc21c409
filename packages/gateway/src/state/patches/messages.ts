// What messages, reactions, typing and interactions say about a guild: the last message of a channel, the counts of a thread, and
// the members who act. The messages themselves are no state: no login brings them back, here as with Discord.
import type { GuildRecord } from '../guild-record.js';
import { objectOf, objectsOf, type RawObject } from '../raw.js';
import type { Users } from '../users.js';
import { channelOf } from './channels.js';
import { putMember } from './members.js';
import type { PatchTable } from './patch.js';

function add(holder: RawObject, key: string, change: number): void {
	const value = holder[key];
	if (typeof value === 'number') holder[key] = value + change;
}

/** `member` as messages carry it: without its user, who is given beside it. */
function putMemberOf(guild: GuildRecord, member: unknown, user: unknown, users: Users): void {
	const known = objectOf(member);
	if (known) putMember(guild, known, users, objectOf(user));
}

function messageGone(guild: GuildRecord, data: RawObject, howMany: number): void {
	const channel = channelOf(guild, data.channel_id);
	if (channel && 'thread_metadata' in channel) add(channel, 'message_count', -howMany);
}

function putActor(guild: GuildRecord, data: RawObject, users: Users): void {
	const member = objectOf(data.member);
	if (member) putMember(guild, member, users);
}

export const messagePatches: PatchTable = {
	MESSAGE_CREATE(guild, data, users) {
		const channel = channelOf(guild, data.channel_id);
		if (!channel || channel.last_message_id === data.id) return;
		channel.last_message_id = data.id;
		if ('thread_metadata' in channel) {
			add(channel, 'message_count', 1);
			add(channel, 'total_message_sent', 1);
		}
		putMemberOf(guild, data.member, data.author, users);
		for (const { member, ...user } of objectsOf(data.mentions)) putMemberOf(guild, member, user, users);
	},

	MESSAGE_DELETE: (guild, data) => messageGone(guild, data, 1),
	MESSAGE_DELETE_BULK: (guild, data) => messageGone(guild, data, Array.isArray(data.ids) ? data.ids.length : 0),

	MESSAGE_REACTION_ADD: putActor,

	TYPING_START(guild, data, users) {
		if (channelOf(guild, data.channel_id)) putActor(guild, data, users);
	},

	INTERACTION_CREATE(guild, data, users) {
		putActor(guild, data, users);
		const resolved = objectOf(objectOf(data.data)?.resolved);
		const resolvedUsers = objectOf(resolved?.users);
		for (const [id, member] of Object.entries(objectOf(resolved?.members) ?? {})) {
			putMemberOf(guild, member, resolvedUsers?.[id], users);
		}
	},
};
