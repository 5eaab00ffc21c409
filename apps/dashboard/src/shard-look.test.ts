import type { DashboardCluster, HealthCause, ManagerStats, ShardStats, ShardStatus } from '@shardctl/core';
import { expect, it } from 'vitest';
import { countLooks, shownShards } from './shard-look.ts';

function fleet(statuses: ShardStatus[], causes: Partial<HealthCause>[] = []): ManagerStats {
	const shards = statuses.map((status, shardId) => ({ shardId, status }) as ShardStats);
	const manager = { totalShards: statuses.length, status: 'running' };
	return { manager, shards, health: { causes: causes as HealthCause[] } } as unknown as ManagerStats;
}

const looksOf = (stats: ManagerStats) => shownShards(stats).map(({ look, words }) => [look, words]);

it('shows each shard by its status', () => {
	expect(looksOf(fleet(['ready', 'waiting', 'booting', 'reconnecting', 'unresponsive', 'failed', 'stopped']))).toEqual([
		['ready', 'ready'],
		['starting', 'waits for an identify slot'],
		['starting', 'booting'],
		['trouble', 'reconnecting'],
		['trouble', 'does not respond'],
		['down', 'failed'],
		['stopped', 'stopped'],
	]);
});

it('shows a shard whose worker is fine as down while Discord refuses it, and why', () => {
	const causes: Partial<HealthCause>[] = [
		{ effect: 'outage', kind: 'discord-refused', shardIds: [1], message: 'Discord refused shard 1' },
	];
	expect(looksOf(fleet(['ready', 'ready'], causes))).toEqual([
		['ready', 'ready'],
		['down', 'Discord refused shard 1'],
	]);
});

it('distinguishes a start after a crash from the start of the fleet', () => {
	const outage: Partial<HealthCause> = { effect: 'outage', kind: 'worker-down', shardIds: [0] };
	const progress: Partial<HealthCause> = { effect: 'progress', kind: 'starting', shardIds: [1] };
	expect(looksOf(fleet(['booting', 'booting'], [outage, progress]))).toEqual([
		['trouble', 'booting'],
		['starting', 'booting'],
	]);
});

it('is not alarmed by a risk', () => {
	expect(looksOf(fleet(['ready'], [{ effect: 'risk', kind: 'disk-full', shardIds: [0] }]))).toEqual([['ready', 'ready']]);
});

it('shows a status of another version as an interruption, and counts', () => {
	const shown = shownShards(fleet(['ready', 'teleporting' as ShardStatus]));
	expect(countLooks(shown)).toEqual({ ready: 1, starting: 0, moving: 0, trouble: 1, down: 0, stopped: 0 });
});

it('shows where the shards of a cluster move to, and those that no node reports', () => {
	const moves: DashboardCluster['moves'] = [{ session: 0, shardIds: [0, 1], from: 'a', to: 'b', phase: 'moving' }];
	const cluster: DashboardCluster = { node: 'a', nodes: [], moves };
	const stats = fleet(['ready', 'reconnecting', 'ready']);
	stats.manager.totalShards = 5;
	// What is interrupted is seen as that, also while it moves.
	expect(shownShards(stats, cluster).map(({ shardId, look, words }) => [shardId, look, words])).toEqual([
		[0, 'moving', 'moves to node b'],
		[1, 'trouble', 'reconnecting'],
		[2, 'ready', 'ready'],
		[3, 'down', 'on no node'],
		[4, 'down', 'on no node'],
	]);
	stats.manager.status = 'starting';
	expect(shownShards(stats, cluster).at(-1)).toMatchObject({ look: 'starting', words: 'on no node' });
	// A fleet on one machine may run some shards of a bot only.
	expect(shownShards(stats)).toHaveLength(3);
});
