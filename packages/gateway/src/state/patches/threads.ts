// THREAD_*. The bot's own membership is a thread's `member`, as in GUILD_CREATE; the others' are kept beside, since
// GUILD_CREATE has no place for them.
import type { GuildRecord } from '../guild-record.js';
import { mergeKeys, upsert, without } from '../merge.js';
import { objectOf, objectsOf, type RawObject, stringOf, stringsOf } from '../raw.js';
import type { Users } from '../users.js';
import { putMember } from './members.js';
import type { PatchTable } from './patch.js';

export function isArchived(thread: RawObject): boolean {
	return objectOf(thread.thread_metadata)?.archived === true;
}

function putThread(guild: GuildRecord, data: RawObject): void {
	const id = stringOf(data.id);
	if (id === undefined) return;
	const { member: incoming, ...thread } = without(data, 'newly_created');
	const known = upsert(guild.threads, id, thread);
	const member = objectOf(incoming);
	if (member) known.member = { ...objectOf(known.member), ...member };
}

/** Someone is in a thread: `id` is the thread's. */
function putThreadMember(guild: GuildRecord, data: RawObject, users: Users): void {
	const threadId = stringOf(data.id);
	const userId = stringOf(data.user_id);
	const thread = threadId === undefined ? undefined : guild.threads.get(threadId);
	if (!thread || threadId === undefined || userId === undefined) return;
	const member = without(data, 'guild_id', 'member', 'presence');
	if (userId === users.selfId) {
		thread.member = { ...objectOf(thread.member), ...member };
		return;
	}
	const members = guild.threadMembers.get(threadId) ?? new Map<string, RawObject>();
	guild.threadMembers.set(threadId, members);
	const known = members.get(userId);
	if (known) mergeKeys(known, member);
	else members.set(userId, member);
}

function removeThreadMember(guild: GuildRecord, thread: RawObject, userId: string, users: Users): void {
	if (userId === users.selfId) delete thread.member;
	const threadId = stringOf(thread.id) ?? '';
	const members = guild.threadMembers.get(threadId);
	if (members?.delete(userId) && members.size === 0) guild.threadMembers.delete(threadId);
}

export const threadPatches: PatchTable = {
	THREAD_CREATE: putThread,
	THREAD_UPDATE: putThread,

	THREAD_DELETE(guild, data) {
		const id = stringOf(data.id);
		if (id !== undefined) guild.removeThread(id);
	},

	/** The active threads of some channels, or of all: those that are not listed are not there any more. */
	THREAD_LIST_SYNC(guild, data, users) {
		const parents = stringsOf(data.channel_ids);
		for (const [id, thread] of guild.threads) {
			if (isArchived(thread)) continue;
			if (!parents || parents.includes(stringOf(thread.parent_id) ?? '')) guild.removeThread(id);
		}
		for (const thread of objectsOf(data.threads)) putThread(guild, thread);
		for (const member of objectsOf(data.members)) putThreadMember(guild, member, users);
	},

	THREAD_MEMBER_UPDATE: putThreadMember,

	THREAD_MEMBERS_UPDATE(guild, data, users) {
		const thread = guild.threads.get(stringOf(data.id) ?? '');
		if (!thread) return;
		thread.member_count = data.member_count;
		for (const added of objectsOf(data.added_members)) {
			const member = objectOf(added.member);
			if (member) putMember(guild, member, users);
			putThreadMember(guild, { ...added, id: thread.id }, users);
		}
		for (const userId of stringsOf(data.removed_member_ids) ?? []) removeThreadMember(guild, thread, userId, users);
	},
};
