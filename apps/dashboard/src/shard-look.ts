// How a shard looks: a colour and a shape for what it does, and the words for it. Pure.
import type { HealthCause, ManagerStats, ShardStats, ShardStatus } from '@shardctl/core';

export type Look = 'ready' | 'starting' | 'trouble' | 'down' | 'stopped';

/** In the order of a legend, with the words for it. */
export const looks: Readonly<Record<Look, string>> = {
	ready: 'ready',
	starting: 'starting',
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
	shard: ShardStats;
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
export function shownShards({ shards, health }: ManagerStats): ShownShard[] {
	const outages = new Map<number, HealthCause>();
	for (const cause of health.causes) {
		if (cause.effect === 'outage') for (const shardId of cause.shardIds) outages.set(shardId, cause);
	}
	return shards.map((shard) => {
		const own = lookOfStatus[shard.status] ?? 'trouble';
		const outage = outages.get(shard.shardId);
		const look = outage ? lookInOutage(own, outage) : own;
		return { shard, look, words: outage && own === 'ready' ? outage.message : (words[shard.status] ?? shard.status) };
	});
}

/** What starts again because it was lost is no planned start. */
function lookInOutage(own: Look, { kind }: HealthCause): Look {
	if (own === 'starting') return 'trouble';
	return own === 'ready' ? (kind === 'worker-unresponsive' ? 'trouble' : 'down') : own;
}

export function countLooks(shown: readonly ShownShard[]): Record<Look, number> {
	const counts: Record<Look, number> = { ready: 0, starting: 0, trouble: 0, down: 0, stopped: 0 };
	for (const { look } of shown) counts[look]++;
	return counts;
}
