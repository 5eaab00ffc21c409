// Puts the verdict on a fleet into its figures: computed once, from the same facts that `stats --json` prints. Pure. What a shard's worker
// reports is not all: a shard is ready only where Discord serves it and its worker answers.
import {
	type FleetHealth,
	fleetHealth,
	type HealthCause,
	type HealthCauseKind,
	type ManagerStats,
	type ShardStatus,
} from '@shardctl/core';

/** What a manager knows of its fleet, before it is judged. */
export type FleetFigures = Omit<ManagerStats, 'health'>;

/** The figures with the verdict; shards that are not served are not shown as ready. */
export function judgeFleet(figures: FleetFigures, { nowMs }: { nowMs: number }): ManagerStats {
	const { manager, shards, ...rest } = figures;
	const health = fleetHealth({ ...figures, nowMs });
	const causes = new Map<number, HealthCause>();
	for (const cause of health.causes) if (cause.effect !== 'risk') for (const id of cause.shardIds) causes.set(id, cause);
	const judged = shards.map((shard) => {
		const cause = shard.ready ? causes.get(shard.shardId) : undefined;
		if (!cause) return shard;
		return { ...shard, status: statusOf[cause.kind] ?? 'reconnecting', since: cause.since ?? shard.since, ready: false };
	});
	return { manager: { ...manager, status: managerStatus(manager.status, health) }, health, shards: judged, ...rest };
}

/** How a shard is shown that its worker holds for ready, where that is not `reconnecting`. */
const statusOf: Partial<Record<HealthCauseKind, ShardStatus>> = {
	stopped: 'stopping',
	'discord-refused': 'disconnected',
	'worker-unresponsive': 'unresponsive',
};

/** A risk leaves the status alone: every shard is served. */
function managerStatus(status: ManagerStats['manager']['status'], { served, shards }: FleetHealth): typeof status {
	return status === 'running' && served < shards ? 'degraded' : status;
}
