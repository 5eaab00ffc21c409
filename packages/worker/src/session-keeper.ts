// Keeps @discordjs/ws (version 1 and 2) from throwing a session away because the gateway could not be reached for a moment. A
// failed connect makes it start anew, which costs an IDENTIFY and every event since, where a RESUME would have lost nothing.

import { field } from './adapters/fields.js';

/** The status of a shard that has not got further than opening a connection (`WebSocketShardStatus.Connecting`). */
const connecting = 1;

type UpdateSessionInfo = (shardId: number, session: unknown) => unknown;

/**
 * Wraps `updateSessionInfo` of a manager's options. A session is forgotten only on the word of the gateway, and that comes on a
 * connection which has got further. Sessions of shards that run elsewhere (worker threads) are left to the library.
 */
export function keepSessionsThroughOutages(options: { updateSessionInfo?: UpdateSessionInfo }, strategy: () => unknown): void {
	const update = options.updateSessionInfo;
	if (!update) return;
	options.updateSessionInfo = (shardId, session) => {
		if (session === null && shardsOf(strategy()).get(shardId)?.status === connecting) return undefined;
		return update(shardId, session);
	};
}

/** The shards that @discordjs/ws's SimpleShardingStrategy holds; a strategy of another kind holds none here. */
function shardsOf(strategy: unknown): ReadonlyMap<number, { status: number }> {
	const shards = field(strategy, 'shards');
	return shards instanceof Map ? shards : new Map();
}
