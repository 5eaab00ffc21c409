// Keeps @discordjs/ws (version 1 and 2) from discarding a session because the gateway could not be reached for a moment. After a
// failed connect it identifies again, which costs an IDENTIFY and every event since; a RESUME would lose nothing.

import { field } from './fields.js';

/** The status of a shard that is opening its connection (`WebSocketShardStatus.Connecting`). */
const connecting = 1;

type UpdateSessionInfo = (shardId: number, session: unknown) => unknown;

/**
 * Wraps `updateSessionInfo` of a manager's options. Only the gateway can invalidate a session, and it does so on a
 * connection that is open. Sessions of shards in worker threads are left to the library.
 */
export function keepSessionsThroughOutages(options: { updateSessionInfo?: UpdateSessionInfo }, strategy: () => unknown): void {
	const update = options.updateSessionInfo;
	if (!update) return;
	options.updateSessionInfo = (shardId, session) => {
		if (session === null && shardsOf(strategy()).get(shardId)?.status === connecting) return undefined;
		return update(shardId, session);
	};
}

/** The shards of @discordjs/ws's SimpleShardingStrategy; other strategies have none in this process. */
function shardsOf(strategy: unknown): ReadonlyMap<number, { status: number }> {
	const shards = field(strategy, 'shards');
	return shards instanceof Map ? shards : new Map();
}
