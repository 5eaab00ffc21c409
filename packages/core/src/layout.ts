// How the bot's shards map to its sessions with Discord. The one place that knows the rule.

/**
 * One arrangement of shards and sessions. `totalShards` is a whole multiple of `sessions`, so that all guilds of a shard belong to
 * one session. In direct mode the two are equal.
 */
export interface Layout {
	/** Counts the arrangements of shards, which what is saved of a shard belongs to. 0 is the first. */
	readonly generation: number;
	/** The shard count that workers see. */
	readonly totalShards: number;
	/** The shard count that Discord sees. */
	readonly sessions: number;
	/** While the sessions are replaced by those of another count: where that has happened. */
	readonly resharded?: ReshardedPart;
}

/**
 * Of two session counts one is a whole multiple of the other. The sessions whose numbers are equal modulo the smaller one are a group:
 * they carry the same shards before and after. So in a mixture of both counts no two sessions have the same number.
 */
export interface ReshardedPart {
	/** The shard count that Discord sees in these groups. */
	readonly sessions: number;
	/** Ascending. */
	readonly groups: readonly number[];
}

/** What the session of a shard depends on. */
type SessionCounts = Pick<Layout, 'sessions' | 'resharded'>;

/** The shard count with which the session of a shard has identified. */
export function sessionCountOf({ sessions, resharded }: SessionCounts, shardId: number): number {
	if (!resharded) return sessions;
	return resharded.groups.includes(shardId % Math.min(sessions, resharded.sessions)) ? resharded.sessions : sessions;
}

/** The session with Discord that carries a shard. Its number is the shard id that Discord knows. */
export function sessionOfShard(layout: SessionCounts, shardId: number): number {
	return shardId % sessionCountOf(layout, shardId);
}

/** The layout after the sessions of a group were replaced by those of the count `to`. */
export function withGroup(layout: Layout, group: number, to: number): Layout {
	const { sessions, resharded, ...rest } = layout;
	const other = resharded?.sessions ?? to;
	const groups = new Set(resharded?.groups ?? []);
	if (to === sessions) groups.delete(group);
	else groups.add(group);
	if (groups.size === 0) return { ...rest, sessions };
	if (groups.size === Math.min(sessions, other)) return { ...rest, sessions: other };
	return { ...rest, sessions, resharded: { sessions: other, groups: [...groups].sort((a, b) => a - b) } };
}

/** The sessions that carry these shards; ascending. */
export function sessionsOfShards(layout: SessionCounts, shardIds: readonly number[]): number[] {
	return [...new Set(shardIds.map((id) => sessionOfShard(layout, id)))].sort((a, b) => a - b);
}

/** Those of the given shards that a session carries, in the order given. */
export function shardsOfSession(layout: SessionCounts, session: number, shardIds: readonly number[]): number[] {
	return shardIds.filter((id) => sessionOfShard(layout, id) === session);
}
