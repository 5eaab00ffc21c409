// What connected workers must be sent when a session with Discord was lost, so that their caches match the new session.
// discord.js ignores GUILD_CREATE for a guild that it holds available, and when it does take it over, some things of the old one
// stay behind: those are taken away by events of their own first.

import { guildLists } from './guild-lists.js';
import { jsonEqual } from './json-equal.js';
import { isArchived } from './patches/threads.js';
import { type Dispatch, objectOf, objectsOf, type RawObject, stringOf, userIdOf } from './raw.js';
import type { ShardState } from './shard-state.js';

type Items = Map<string, RawObject>;

function itemsOf(guild: RawObject, key: (typeof guildLists)[number]['key']): Items {
	const list = guildLists.find((candidate) => candidate.key === key);
	const items: Items = new Map();
	for (const item of objectsOf(guild[key])) {
		const id = list?.idOf(item);
		if (id !== undefined) items.set(id, item);
	}
	return items;
}

/** Whether two guilds are the same, whatever the order of keys and lists. */
function sameGuild(before: RawObject, after: RawObject): boolean {
	const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
	for (const { key } of guildLists) {
		keys.delete(key);
		const old = itemsOf(before, key);
		const now = itemsOf(after, key);
		if (old.size !== now.size) return false;
		for (const [id, item] of old) if (!jsonEqual(item, now.get(id))) return false;
	}
	for (const key of keys) if (!jsonEqual(before[key], after[key])) return false;
	return true;
}

/** Channels that are gone, and those of another type: a client's object of the old type cannot become one of the new. */
function* channelDispatches(guildId: string, before: RawObject, after: RawObject): Generator<Dispatch> {
	const now = itemsOf(after, 'channels');
	for (const [id, channel] of itemsOf(before, 'channels')) {
		const known = now.get(id);
		if (!known) yield { t: 'CHANNEL_DELETE', d: { ...channel, guild_id: guildId } };
		else if (known.type !== channel.type) yield { t: 'CHANNEL_UPDATE', d: { ...known, guild_id: guildId } };
	}
}

/**
 * Threads that are not active any more, or that the bot is not in any more. Whether the former were archived or deleted is unknown,
 * so nothing is said of either: the threads of their channels are taken away, and GUILD_CREATE brings back those that are there.
 */
function* threadDispatches(guildId: string, before: RawObject, after: RawObject): Generator<Dispatch> {
	const now = itemsOf(after, 'threads');
	const parents = new Set<string>();
	for (const [id, thread] of itemsOf(before, 'threads')) {
		const known = now.get(id);
		const left = known !== undefined && 'member' in thread && !('member' in known);
		if ((known === undefined && !isArchived(thread)) || left) parents.add(stringOf(thread.parent_id) ?? '');
	}
	if (parents.size > 0)
		yield { t: 'THREAD_LIST_SYNC', d: { guild_id: guildId, channel_ids: [...parents], threads: [], members: [] } };
}

function* presenceDispatches(guildId: string, before: RawObject, after: RawObject): Generator<Dispatch> {
	const now = itemsOf(after, 'presences');
	for (const presence of objectsOf(before.presences)) {
		const id = userIdOf(presence);
		if (id === undefined || now.has(id)) continue;
		yield { t: 'PRESENCE_UPDATE', d: { user: { id }, guild_id: guildId, status: 'offline', activities: [], client_status: {} } };
	}
}

function* changedGuild(id: string, before: RawObject, after: RawObject): Generator<Dispatch> {
	yield* presenceDispatches(id, before, after);
	yield* threadDispatches(id, before, after);
	yield* channelDispatches(id, before, after);
	yield { t: 'GUILD_DELETE', d: { id, unavailable: true } };
	yield { t: 'GUILD_CREATE', d: after };
}

function* differences(before: ShardState, after: ShardState): Generator<Dispatch> {
	const oldUser = objectOf(before.ready().user) ?? {};
	const user = objectOf(after.ready().user) ?? {};
	if (!jsonEqual(oldUser, user)) yield { t: 'USER_UPDATE', d: user };
	const ids = new Set(after.guildIds());
	for (const id of before.guildIds()) {
		if (!ids.has(id)) yield { t: 'GUILD_DELETE', d: { id } };
	}
	for (const id of ids) {
		const old = before.guild(id);
		const now = after.guild(id);
		// A new guild in outage is sent when it becomes available: then it is a join.
		if (!now) {
			if (old) yield { t: 'GUILD_DELETE', d: { id, unavailable: true } };
		} else if (!old) yield { t: 'GUILD_CREATE', d: now };
		else if (!sameGuild(old, now)) yield* changedGuild(id, old, now);
	}
}

/**
 * The dispatches that turn the cache of a client that is at `before` into one that is at `after`. Guilds that are the same
 * are not mentioned. Events that cannot be known (who joined meanwhile, what was said) are not made up.
 */
export function diffStates(before: ShardState, after: ShardState): Dispatch[] {
	return [...differences(before, after)];
}
