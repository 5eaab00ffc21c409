// How the bot's shards map to its sessions with Discord. The one place that knows the rule.

/**
 * One arrangement of shards and sessions. `totalShards` is a whole multiple of `sessions`, so that all guilds of a shard belong to
 * one session. In direct mode the two are equal.
 */
export interface Layout {
	/** Counts the arrangements of one fleet: resharding begins the next. 0 is the first. */
	readonly generation: number;
	/** The shard count that workers see. */
	readonly totalShards: number;
	/** The shard count that Discord sees. */
	readonly sessions: number;
}

/** The session with Discord that carries a shard. Its number is the shard id that Discord knows. */
export function sessionOfShard({ sessions }: Pick<Layout, 'sessions'>, shardId: number): number {
	return shardId % sessions;
}

/** The sessions that carry these shards; ascending. */
export function sessionsOfShards(layout: Pick<Layout, 'sessions'>, shardIds: readonly number[]): number[] {
	return [...new Set(shardIds.map((id) => sessionOfShard(layout, id)))].sort((a, b) => a - b);
}

/** Those of the given shards that a session carries, in the order given. */
export function shardsOfSession(layout: Pick<Layout, 'sessions'>, session: number, shardIds: readonly number[]): number[] {
	return shardIds.filter((id) => sessionOfShard(layout, id) === session);
}
