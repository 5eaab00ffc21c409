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
import { CallShare } from './call-share.js';
import type { Calls } from './calls.js';

/** The fleet as its workers may act on it. */
export type ServedFleet = Pick<FleetCalls, 'respawnShard' | 'respawnAll' | 'getShardStats'>;

export function serveWorker(
	peer: Peer<ManagerMethods, WorkerMethods, ManagerEvents, WorkerEvents>,
	{ calls, fleet }: { calls: Pick<Calls, 'eval' | 'fetchClientValues' | 'call'>; fleet: ServedFleet },
): void {
	const share = new CallShare();
	peer.handle('broadcastEval', ({ kind, source, context, options }, { signal }) =>
		share.run(() => calls.eval({ kind, source }, context, readCallOptions({ ...options, signal })), signal),
	);
	peer.handle('fetchClientValues', ({ path, options }, { signal }) =>
		share.run(() => calls.fetchClientValues(path, { ...options, signal }), signal),
	);
	peer.handle('call', ({ name, args, options }, { signal }) =>
		share.run(() => calls.call(name, args, { ...options, signal }), signal),
	);
	peer.handle('respawnShard', ({ shardId }) => fleet.respawnShard(shardId));
	peer.handle('respawnAll', async (options) => {
		await fleet.respawnAll(options);
		return null;
	});
	peer.handle('getShardStats', (options) => fleet.getShardStats(options));
}
