// What is counted of one shard, for stats.
import type { GatewayShardStats } from '@shardctl/core';

export type ShardCounters = Pick<
	GatewayShardStats,
	| 'received'
	| 'delivered'
	| 'workerIdentifies'
	| 'workerResumes'
	| 'overflowed'
	| 'expired'
	| 'coalesced'
	| 'lost'
	| 'repeated'
	| 'poisoned'
>;

export function emptyCounters(): ShardCounters {
	return {
		received: 0,
		delivered: 0,
		workerIdentifies: 0,
		workerResumes: 0,
		overflowed: 0,
		expired: 0,
		coalesced: 0,
		lost: 0,
		repeated: 0,
		poisoned: 0,
	};
}
