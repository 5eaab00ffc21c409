// The steps of a resharding: other sessions with Discord, another shard count of the workers, or both, in the order in which the sessions
// can carry the shards all the time. Pure.
import { ShardctlError } from '@shardctl/core';
import type { Plan } from '../plan/plan.js';
import { planShardCount, type ShardPlan } from '../plan/plan-shards.js';
import { planReshard, type ReshardPlan } from './plan-reshard.js';

export type ReshardStep = { kind: 'sessions'; plan: ReshardPlan } | { kind: 'shards'; plan: ShardPlan };

export interface StepsInput {
	plan: Plan;
	/** Undefined: as it is. */
	sessions?: number | undefined;
	shards?: number | undefined;
	shardsPerWorker: number | 'auto';
	cores: number;
}

/** Throws `RESHARD_COUNT`, `RESHARD_UNSUPPORTED`. */
export function planSteps({ plan, sessions, shards, ...workers }: StepsInput): ReshardStep[] {
	const { layout } = plan;
	if (sessions === undefined && shards === undefined) {
		throw new ShardctlError('OPTIONS_INVALID', 'resharding needs the number of sessions or shards to end with, or undo', {
			details: {},
		});
	}
	const otherSessions = (from: Plan): ReshardStep => ({
		kind: 'sessions',
		plan: planReshard({ ...from, sessions: sessions as number }),
	});
	const otherShards = (from: Plan): ReshardStep => ({
		kind: 'shards',
		plan: planShardCount({ ...from, ...workers, shards: shards as number }),
	});
	const isSameCount = sessions === layout.sessions && !layout.resharded;
	if (shards === undefined || (shards === layout.totalShards && !isSameCount)) return [otherSessions(plan)];
	if (sessions === undefined || isSameCount) return [otherShards(plan)];
	if (shards % sessions !== 0) {
		throw new ShardctlError(
			'RESHARD_COUNT',
			`${sessions} sessions cannot carry ${shards} shards; use a shard count that is a multiple of ${sessions}`,
			{ details: { layout } },
		);
	}
	const canCarryNow = shards % layout.sessions === 0;
	if (canCarryNow && (shards > layout.totalShards || layout.totalShards % sessions !== 0)) {
		const first = planShardCount({ ...plan, ...workers, shards });
		return [{ kind: 'shards', plan: first }, otherSessions({ ...plan, ...first, shardIds: first.gateways.flat() })];
	}
	// By then the sessions are all of one count.
	const { generation, totalShards } = layout;
	return [otherSessions(plan), otherShards({ ...plan, layout: { generation, totalShards, sessions } })];
}
