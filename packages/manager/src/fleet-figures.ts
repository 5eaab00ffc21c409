// What a manager knows of its fleet at one moment, before it is judged: the figures of `stats --json`.
import { heartbeatOf } from './children/child-rules.js';
import type { FleetParts } from './fleet-parts.js';
import type { FleetFigures } from './health/judge-fleet.js';
import type { ResolvedManagerOptions } from './options/manager-options.js';
import { workerShardStats, workerStats } from './workers/shard-stats.js';

/** What only the manager itself knows. */
export type ManagerFacts = Pick<
	FleetFigures['manager'],
	'name' | 'version' | 'totalShards' | 'shardIds' | 'startedAt' | 'status'
>;

export async function fleetFigures(
	{
		starts,
		workers: { workers },
		mode,
		rest,
		queue,
		deploys,
		reshards,
		sizing,
		host,
		losses: { losses },
	}: Pick<FleetParts, 'starts' | 'workers' | 'mode' | 'rest' | 'queue' | 'deploys' | 'reshards' | 'sizing' | 'host' | 'losses'>,
	{ clock, heartbeatTimeoutMs, maxMemoryBytes, simulator }: ResolvedManagerOptions,
	facts: () => ManagerFacts,
): Promise<FleetFigures> {
	const [gateways, requests, events, machine] = await Promise.all([
		mode.stats(clock.now()),
		rest.stats(),
		queue?.stats(),
		host.facts(),
	]);
	const nowMs = clock.now();
	const rules = { heartbeat: heartbeatOf(heartbeatTimeoutMs), maxMemoryBytes };
	const deploy = deploys.stats();
	const reshard = reshards.stats();
	const size = sizing.stats();
	const { name, version, totalShards, shardIds, startedAt, status } = facts();
	return {
		manager: {
			name,
			pid: process.pid,
			version,
			totalShards,
			shardIds,
			workers: workers.length,
			startedAt,
			uptimeMs: Math.max(0, nowMs - startedAt),
			status,
			identify: starts.budget(),
			...(simulator ? { simulator } : {}),
		},
		shards: workers
			.flatMap((worker) => workerShardStats(worker, nowMs))
			.map((shard) => (mode.waitsForBudget(shard.shardId) ? { ...shard, waitsForBudget: true } : shard))
			.concat(mode.shardStats?.(gateways ?? []) ?? []),
		workers: workers.map((worker) => workerStats(worker, rules)),
		losses,
		host: machine,
		...(gateways ? { gateways } : {}),
		...(requests ? { rest: requests } : {}),
		...(events ? { queue: events } : {}),
		...(deploy ? { deploy } : {}),
		...(reshard ? { reshard } : {}),
		...(size ? { sizing: size } : {}),
	};
}
