// What workers may ask of the manager: the calls of `client.shard` and `shardctl/worker`. Registers the handlers on the channel of one
// process.
import {
	type FleetCalls,
	type ManagerEvents,
	type ManagerMethods,
	readCallOptions,
	type WorkerEvents,
	type WorkerMethods,
} from '@shardctl/core';
import type { Peer } from '@shardctl/rpc';
import type { Calls } from './calls.js';

/** The fleet as its workers may act on it. */
export type ServedFleet = Pick<FleetCalls, 'respawnShard' | 'respawnAll' | 'getShardStats'>;

export function serveWorker(
	peer: Peer<ManagerMethods, WorkerMethods, ManagerEvents, WorkerEvents>,
	{ calls, fleet }: { calls: Pick<Calls, 'eval' | 'fetchClientValues' | 'call'>; fleet: ServedFleet },
): void {
	peer.handle('broadcastEval', ({ kind, source, context, options }, { signal }) =>
		calls.eval({ kind, source }, context, readCallOptions({ ...options, signal })),
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
