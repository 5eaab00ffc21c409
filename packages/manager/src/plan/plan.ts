// Which shards run, in which slices, and through which sessions with Discord: from the options and from what Discord recommends. Pure.
import { formatShardIds, type GatewayInfo, planSlices, ShardctlError } from '@shardctl/core';
import { dividedSessions, resolveCounts } from './counts.js';
import { planGateways } from './gateway-plan.js';

export interface PlanInput {
	totalShards: number | 'auto';
	shardList: readonly number[] | undefined;
	shardsPerWorker: number | 'auto';
	cores: number;
	/** Null in direct mode. */
	gateway: { sessions: number | 'auto' | undefined; shardsPerGateway: number } | null;
}

export interface Plan {
	/** As workers see it. */
	totalShards: number;
	/** How many sessions the bot has with Discord; shard v comes through session v % sessions. */
	sessions: number;
	/** Ascending. */
	shardIds: number[];
	/** The sessions through which these come; ascending. */
	sessionIds: number[];
	/** Shard ids per worker, balanced, in order of their first shard. */
	slices: number[][];
	/** Shard ids per gateway process: whole slices, and whole sessions. None in direct mode. */
	gateways: number[][];
}

/** Throws `OPTIONS_INVALID` when the shard list does not go with the number of shards or sessions that Discord recommends. */
export function planShards(input: PlanInput, gateway: Pick<GatewayInfo, 'shards'>): Plan {
	const counts = resolveCounts({ totalShards: input.totalShards, sessions: input.gateway?.sessions }, gateway.shards);
	const { totalShards, sessions } = counts;
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
	const divided = dividedSessions(shardIds, counts);
	if (divided !== undefined) throw new ShardctlError('OPTIONS_INVALID', `shardList: ${divided}`, { details: { ...counts } });
	const sessionIds = [...new Set(shardIds.map((id) => id % sessions))].sort((a, b) => a - b);
	const shardsPerWorker = input.shardsPerWorker === 'auto' ? Math.ceil(shardIds.length / input.cores) : input.shardsPerWorker;
	const { slices, gateways } = input.gateway
		? planGateways(shardIds, { ...counts, shardsPerWorker, shardsPerGateway: input.gateway.shardsPerGateway })
		: { slices: planSlices(shardIds, shardsPerWorker), gateways: [] };
	return { totalShards, sessions, shardIds, sessionIds, slices, gateways };
}
