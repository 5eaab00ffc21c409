// The shards of one session, and the workers that run them: in a cluster a session moves with all of its workers, so slices are cut within
// it. Pure.
import { type Layout, planSlices, shardsOfSession } from '@shardctl/core';

export interface SessionPlan {
	/** Ascending. */
	shardIds: number[];
	/** Shard ids per worker. */
	slices: number[][];
}

export function planSession(
	layout: Layout,
	session: number,
	{ shardsPerWorker, cores }: { shardsPerWorker: number | 'auto'; cores: number },
): SessionPlan {
	const all = Array.from({ length: layout.totalShards }, (_, id) => id);
	const shardIds = shardsOfSession(layout, session, all);
	const perWorker = shardsPerWorker === 'auto' ? Math.ceil(shardIds.length / cores) : shardsPerWorker;
	return { shardIds, slices: planSlices(shardIds, perWorker) };
}
