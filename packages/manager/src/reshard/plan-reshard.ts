// Plans the replacement of a fleet's sessions by more or fewer: which groups of sessions are replaced, how many IDENTIFYs that takes, and
// about how long. Pure.
import { formatShardIds, type Layout, ShardctlError, sessionCountOf } from '@shardctl/core';

export interface ReshardPlanInput {
	layout: Layout;
	/** The shards of this manager. */
	shardIds: readonly number[];
	/** Shard ids per gateway process. */
	gateways: readonly (readonly number[])[];
	/** The session count to end with. */
	sessions: number;
	/** The shard count of the workers cannot change, as in a cluster. */
	keepsShards?: boolean;
	/** Groups that have either these sessions or those of the layout. */
	unsure?: { sessions: number; groups: readonly number[] } | undefined;
}

export interface ReshardPlan {
	/** Of the groups that are replaced. */
	from: number;
	to: number;
	/** Those that are left to do, in order. */
	groups: number[];
	/** New sessions with Discord. */
	identifies: number;
}

/** Throws `RESHARD_COUNT`, `RESHARD_UNSUPPORTED`. */
export function planReshard({
	layout,
	shardIds,
	gateways,
	sessions: to,
	keepsShards = false,
	unsure,
}: ReshardPlanInput): ReshardPlan {
	const { totalShards, resharded } = layout;
	if (shardIds.length < totalShards) {
		throw new ShardctlError(
			'RESHARD_UNSUPPORTED',
			`this manager has ${shardIds.length} of the ${totalShards} shards of the bot; only a fleet that has all of them can be resharded`,
			{ details: { totalShards, shards: shardIds.length } },
		);
	}
	const other = resharded?.sessions ?? unsure?.sessions;
	const from = other !== undefined && to === layout.sessions ? other : layout.sessions;
	if (other !== undefined && to !== layout.sessions && to !== other) {
		throw countError(
			`the fleet is between ${layout.sessions} and ${other} sessions: continue with "shardctl reshard ${other}" or return with "shardctl reshard --undo" first`,
			layout,
		);
	}
	if (from === to) throw countError(`the fleet has ${to} sessions already`, layout);
	const [smaller, larger] = [Math.min(from, to), Math.max(from, to)];
	if (larger % smaller !== 0) {
		const near = [Math.floor(to / from) * from, Math.ceil(to / from) * from].filter(
			(count) => count > 0 && totalShards % count === 0,
		);
		throw countError(
			`${from} sessions can only be replaced by a whole multiple or a whole part of them, not by ${to}${orSuch(near)}`,
			layout,
		);
	}
	if (totalShards % to !== 0) {
		const shards = commonMultiple(totalShards, to);
		const remedy = keepsShards
			? `stop all nodes and start them with --shards ${shards} --gateway-sessions ${to}`
			: `give them more shards as well: "shardctl reshard ${to} --shards ${shards}"`;
		throw countError(`the workers see ${totalShards} shards, which ${to} sessions cannot carry; ${remedy}`, layout);
	}
	const groups = Array.from({ length: smaller }, (_, group) => group);
	for (const group of groups) {
		const shards = shardIds.filter((id) => id % smaller === group);
		const held = gateways.filter((process) => process.some((id) => id % smaller === group));
		if (held.length > 1) {
			throw countError(
				`the sessions ${formatShardIds([...new Set(shards.map((id) => id % from))])} are in ${held.length} gateway processes, and one session cannot replace them; restart the fleet with ${to} sessions (--gateway-sessions)`,
				layout,
			);
		}
	}
	const left = groups.filter((group) => sessionCountOf(layout, group) !== to || unsure?.groups.includes(group));
	return { from, to, groups: left, identifies: left.length * (to > from ? to / from : 1) };
}

/** One takeover takes at least as long as the present sessions are heard out. */
const groupMs = 2500;

/** About how long a plan takes: by Discord's pace or by that of the takeovers, whichever is slower. */
export function estimateMs(
	{ groups, identifies }: Pick<ReshardPlan, 'groups' | 'identifies'>,
	{ maxConcurrency, windowMs }: { maxConcurrency: number; windowMs: number },
): number {
	return Math.max(Math.ceil(identifies / maxConcurrency) * windowMs, groups.length * groupMs);
}

function countError(message: string, layout: Layout): ShardctlError {
	return new ShardctlError('RESHARD_COUNT', message, { details: { layout } });
}

/** The smallest whole multiple of one that is one of the other as well. */
export function commonMultiple(one: number, other: number): number {
	let multiple = one;
	while (multiple % other !== 0) multiple += one;
	return multiple;
}

function orSuch(counts: readonly number[]): string {
	return counts.length > 0 ? `; use ${[...new Set(counts)].join(' or ')}, for example` : '';
}
