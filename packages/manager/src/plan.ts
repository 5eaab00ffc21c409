// Which shards run, and in which slices: from the options and from what Discord recommends. Pure.
import { formatShardIds, type GatewayInfo, planSlices, ShardctlError } from '@shardctl/core';

export interface PlanInput {
	totalShards: number | 'auto';
	shardList: readonly number[] | undefined;
	shardsPerWorker: number | 'auto';
	cores: number;
}

export interface Plan {
	totalShards: number;
	/** Ascending. */
	shardIds: number[];
	/** Shard ids per worker, contiguous and balanced. */
	slices: number[][];
}

/** Throws `OPTIONS_INVALID` when the shard list names a shard beyond what Discord recommends. */
export function planShards(input: PlanInput, gateway: Pick<GatewayInfo, 'shards'>): Plan {
	const totalShards = input.totalShards === 'auto' ? gateway.shards : input.totalShards;
	const shardIds = input.shardList ? [...input.shardList] : Array.from({ length: totalShards }, (_, id) => id);
	const beyond = shardIds.filter((id) => id >= totalShards);
	if (beyond.length > 0) {
		throw new ShardctlError(
			'OPTIONS_INVALID',
			`shardList names ${formatShardIds(beyond)}, but Discord recommends ${totalShards} shards (ids 0 to ${totalShards - 1}): ` +
				'set totalShards to the number that all your managers share',
			{ details: { totalShards, beyond } },
		);
	}
	const shardsPerWorker = input.shardsPerWorker === 'auto' ? Math.ceil(shardIds.length / input.cores) : input.shardsPerWorker;
	return { totalShards, shardIds, slices: planSlices(shardIds, shardsPerWorker) };
}
