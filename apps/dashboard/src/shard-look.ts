// How a shard looks: a colour and a shape for what it does, and the words for it. Pure.
import type { DashboardCluster, HealthCause, ManagerStats, ShardStats, ShardStatus } from '@shardctl/core';

export type Look = 'ready' | 'starting' | 'moving' | 'trouble' | 'down' | 'stopped';

/** In the order of a legend, with the words for it. */
export const looks: Readonly<Record<Look, string>> = {
	ready: 'ready',
	starting: 'starting',
	moving: 'moving',
	trouble: 'interrupted',
	down: 'down',
	stopped: 'stopped',
};

const lookOfStatus: Readonly<Record<ShardStatus, Look>> = {
	planned: 'starting',
	booting: 'starting',
	waiting: 'starting',
	identifying: 'starting',
	ready: 'ready',
	reconnecting: 'trouble',
	unresponsive: 'trouble',
	restarting: 'trouble',
	disconnected: 'down',
	failed: 'down',
	stopping: 'stopped',
	stopped: 'stopped',
};

export interface ShownShard {
	shardId: number;
	/** Undefined for a shard of the cluster that no node reports. */
	shard: ShardStats | undefined;
	/** Of a cluster: the node that has it. */
	node: string | undefined;
	look: Look;
	/** `ready`, or what is wrong. */
	words: string;
}

const words: Partial<Record<ShardStatus, string>> = {
	waiting: 'waits for an identify slot',
	unresponsive: 'does not respond',
	failed: 'failed',
};

/** Each shard as the verdict of the fleet has it: one whose worker is fine is down all the same while Discord does not serve it. */
export function shownShards({ manager, shards, health }: ManagerStats, cluster?: DashboardCluster): ShownShard[] {
	const outages = new Map<number, HealthCause>();
	for (const cause of health.causes) {
		if (cause.effect === 'outage') for (const shardId of cause.shardIds) outages.set(shardId, cause);
	}
	const targets = new Map(cluster?.moves.flatMap(({ shardIds, to }) => shardIds.map((id) => [id, to])));
	const shown = shards.map((shard): ShownShard => {
		const own = lookOfStatus[shard.status] ?? 'trouble';
		const { shardId, node } = shard;
		const outage = outages.get(shardId);
		const look = outage ? lookInOutage(own, outage) : own;
		const target = targets.get(shardId);
		if (look === 'ready' && target !== undefined)
			return { shardId, shard, node, look: 'moving', words: `moves to node ${target}` };
		return {
			shardId,
			shard,
			node,
			look,
			words: outage && own === 'ready' ? outage.message : (words[shard.status] ?? shard.status),
		};
	});
	return cluster && shown.length < manager.totalShards ? withUnreported(shown, manager) : shown;
}

/** Every shard of the bot: one that no node reports must not be missed. */
function withUnreported(shown: readonly ShownShard[], { totalShards, status }: ManagerStats['manager']): ShownShard[] {
	const byId = new Map(shown.map((each) => [each.shardId, each]));
	const look = status === 'starting' ? 'starting' : 'down';
	return Array.from(
		{ length: totalShards },
		(_, shardId) => byId.get(shardId) ?? { shardId, shard: undefined, node: undefined, look, words: 'on no node' },
	);
}

/** What starts again because it was lost is no planned start. */
function lookInOutage(own: Look, { kind }: HealthCause): Look {
	if (own === 'starting') return 'trouble';
	return own === 'ready' ? (kind === 'worker-unresponsive' ? 'trouble' : 'down') : own;
}

export function countLooks(shown: readonly ShownShard[]): Record<Look, number> {
	const counts: Record<Look, number> = { ready: 0, starting: 0, moving: 0, trouble: 0, down: 0, stopped: 0 };
	for (const { look } of shown) counts[look]++;
	return counts;
}
