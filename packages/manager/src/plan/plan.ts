// Plans the fleet from the options and from what Discord recommends: the layout, the shards of this manager, their slices and their
// gateway processes. Pure.
import { describeShards, type GatewayInfo, type Layout, planSlices, ShardctlError, sessionsOfShards } from '@shardctl/core';
import { resolveCounts, splitSessionProblem } from './counts.js';
import { planGateways } from './gateway-plan.js';

export interface PlanInput {
	totalShards: number | 'auto';
	shardList: readonly number[] | undefined;
	shardsPerWorker: number | 'auto';
	cores: number;
	/** Null in direct mode. */
	gateway: { sessions: number | 'auto' | undefined; shardsPerGateway: number } | null;
	/** Null or absent without a cluster. */
	cluster?: { expect: number } | null;
}

export interface Plan {
	layout: Layout;
	/** The shards of this manager; ascending. */
	shardIds: number[];
	/** The sessions with Discord that carry them; ascending. */
	sessionIds: number[];
	/** Shard ids per worker, balanced, in order of their first shard. */
	slices: number[][];
	/** Shard ids per gateway process: whole slices and whole sessions. Empty in direct mode. */
	gateways: number[][];
}

/** Throws `OPTIONS_INVALID` when the shard list does not fit the number of shards or sessions that Discord recommends. */
export function planShards(input: PlanInput, gateway: Pick<GatewayInfo, 'shards'>): Plan {
	const { totalShards: shards, cluster } = input;
	const counts = resolveCounts(
		{ totalShards: shards, sessions: input.gateway?.sessions, nodes: cluster?.expect },
		gateway.shards,
	);
	const layout: Layout = { generation: 0, ...counts };
	const { totalShards } = layout;
	const shardIds = input.shardList ? [...input.shardList] : Array.from({ length: totalShards }, (_, id) => id);
	const beyond = shardIds.filter((id) => id >= totalShards);
	if (beyond.length > 0) {
		throw new ShardctlError(
			'OPTIONS_INVALID',
			`shardList has ${describeShards(beyond)}, but Discord recommends ${totalShards} shards (ids 0 to ${totalShards - 1}); ` +
				'set totalShards to the shard count that all managers of this bot share',
			{ details: { totalShards, beyond } },
		);
	}
	const problem = splitSessionProblem(shardIds, layout);
	if (problem !== undefined) throw new ShardctlError('OPTIONS_INVALID', `shardList: ${problem}`, { details: { ...counts } });
	const shardsPerWorker = input.shardsPerWorker === 'auto' ? Math.ceil(shardIds.length / input.cores) : input.shardsPerWorker;
	const { slices, gateways } = input.gateway
		? planGateways(shardIds, { ...counts, shardsPerWorker, shardsPerGateway: input.gateway.shardsPerGateway })
		: { slices: planSlices(shardIds, shardsPerWorker), gateways: [] };
	return { layout, shardIds, sessionIds: sessionsOfShards(layout, shardIds), slices, gateways };
}
