// What workers may ask of the manager: the calls of `client.shard` and `shardctl/worker`. Registers the handlers on the channel of one
// process.
import type { ManagerEvents, ManagerMethods, RespawnAllOptions, ShardStats, WorkerEvents, WorkerMethods } from '@shardctl/core';
import type { Peer } from '@shardctl/rpc';
import type { Calls } from './calls.js';

/** The fleet as its workers may act on it. */
export interface ServedFleet {
	respawnShard(shardId: number): Promise<boolean>;
	respawnAll(options: RespawnAllOptions): Promise<void>;
	getShardStats(options: { fresh?: boolean }): Promise<ShardStats[]>;
}

export function serveWorker(
	peer: Peer<ManagerMethods, WorkerMethods, ManagerEvents, WorkerEvents>,
	{ calls, fleet }: { calls: Calls; fleet: ServedFleet },
): void {
	peer.handle('broadcastEval', ({ kind, source, context, options }, { signal }) =>
		calls.eval({ kind, source }, context, { ...options, signal }),
	);
	peer.handle('fetchClientValues', ({ path, options }, { signal }) => calls.fetchClientValues(path, { ...options, signal }));
	peer.handle('call', ({ name, args, options }, { signal }) => calls.call(name, args, { ...options, signal }));
	peer.handle('respawnShard', ({ shardId }) => fleet.respawnShard(shardId));
	peer.handle('respawnAll', async (options) => {
		await fleet.respawnAll(options);
		return null;
	});
	peer.handle('getShardStats', (options) => fleet.getShardStats(options));
}
