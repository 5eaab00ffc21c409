// Plans another shard count of the workers of a running fleet: which shards each gateway process has then, and which each worker. The
// sessions with Discord stay, so each new shard has guilds of one session, and of the same gateway process as before. Pure.
import { type Layout, planSlices, ShardctlError } from '@shardctl/core';

export interface ShardPlanInput {
	layout: Layout;
	/** The shards of this manager. */
	shardIds: readonly number[];
	/** Shard ids per gateway process. */
	gateways: readonly (readonly number[])[];
	/** The shard count to end with. */
	shards: number;
	shardsPerWorker: number | 'auto';
	cores: number;
}

export interface ShardPlan {
	layout: Layout;
	/** Shard ids per gateway process, in the order of the present ones. */
	gateways: number[][];
	/** Shard ids per worker, in order of their first shard. */
	slices: number[][];
}

/** Throws `RESHARD_COUNT`, `RESHARD_UNSUPPORTED`. */
export function planShardCount({ layout, shardIds, gateways, shards, ...workers }: ShardPlanInput): ShardPlan {
	const { totalShards, sessions, resharded, generation } = layout;
	if (shardIds.length < totalShards) {
		throw new ShardctlError(
			'RESHARD_UNSUPPORTED',
			`this manager has ${shardIds.length} of the ${totalShards} shards of the bot; only a fleet that has all of them can be resharded`,
			{ details: { totalShards, shards: shardIds.length } },
		);
	}
	if (resharded) {
		throw countError(
			`the fleet is between ${sessions} and ${resharded.sessions} sessions: continue with "shardctl reshard ${resharded.sessions}" or return with "shardctl reshard --undo" before the shard count changes`,
			layout,
		);
	}
	if (shards === totalShards) throw countError(`the workers have ${totalShards} shards already`, layout);
	if (Math.max(shards, totalShards) % Math.min(shards, totalShards) !== 0) {
		const near = [Math.floor(shards / totalShards) * totalShards, Math.ceil(shards / totalShards) * totalShards].filter(
			(count) => count > totalShards,
		);
		const such = near.length > 0 ? `; use ${near.join(' or ')}, for example` : '';
		throw countError(
			`${totalShards} shards can only be replaced by a whole multiple or a whole part of them, not by ${shards}${such}`,
			layout,
		);
	}
	if (shards % sessions !== 0) {
		throw countError(
			`${sessions} sessions cannot carry ${shards} shards; use a multiple of ${sessions}, or reduce the sessions as well: "shardctl reshard SESSIONS --shards ${shards}"`,
			layout,
		);
	}
	const common = Math.min(shards, totalShards);
	const next = gateways.map((held) => {
		const ofProcess = new Set(held.map((id) => id % common));
		return Array.from({ length: shards }, (_, id) => id).filter((id) => ofProcess.has(id % common));
	});
	return {
		layout: { generation: generation + 1, totalShards: shards, sessions },
		gateways: next,
		slices: slicesOf(next, { shards, ...workers }),
	};
}

/** Shard ids per worker, each within one gateway process, in order of their first shard. */
export function slicesOf(
	gateways: readonly (readonly number[])[],
	{ shards, shardsPerWorker, cores }: Pick<ShardPlanInput, 'shards' | 'shardsPerWorker' | 'cores'>,
): number[][] {
	const perWorker = shardsPerWorker === 'auto' ? Math.ceil(shards / cores) : shardsPerWorker;
	return gateways.flatMap((held) => planSlices(held, perWorker)).sort(([a = 0], [b = 0]) => a - b);
}

function countError(message: string, layout: Layout): ShardctlError {
	return new ShardctlError('RESHARD_COUNT', message, { details: { layout } });
}
