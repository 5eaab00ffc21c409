// Keeps @discordjs/ws (version 1 and 2) from throwing a session away because the gateway could not be reached for a moment. A
// failed connect makes it start anew, which costs an IDENTIFY and every event since, where a RESUME would have lost nothing.

/** The status of a shard that has not got further than opening a connection (`WebSocketShardStatus.Connecting`). */
const connecting = 1;

type UpdateSessionInfo = (shardId: number, session: unknown) => unknown;

/** The shards as @discordjs/ws's SimpleShardingStrategy holds them. */
export interface ShardHolder {
	shards?: ReadonlyMap<number, { status: number }>;
}

/**
 * Wraps `updateSessionInfo` of a manager's options. A session is forgotten only on the word of the gateway, and that comes on a
 * connection which has got further. Sessions of shards that run elsewhere (worker threads) are left to the library.
 */
export function keepSessionsThroughOutages(
	options: { updateSessionInfo?: UpdateSessionInfo },
	strategy: () => ShardHolder | undefined,
): void {
	const update = options.updateSessionInfo;
	if (!update) return;
	options.updateSessionInfo = (shardId, session) => {
		if (session === null && strategy()?.shards?.get(shardId)?.status === connecting) return undefined;
		return update(shardId, session);
	};
}
