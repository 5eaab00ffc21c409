import type { ManagerStats, ShardStats } from '@shardctl/manager';
import { expect, it } from 'vitest';
import { troubleLines } from './trouble.js';

const nowMs = 1_700_000_000_000;
const size = { width: 100, nowMs };
const exit = { reason: 'code', message: 'process 7 exited with code 1', at: nowMs - 12_000 };

function shard(shardId: number, over: Partial<ShardStats> = {}): ShardStats {
	const workerId = shardId >> 1;
	return { shardId, workerId, status: 'ready', ready: true, restarts: 0, lastExit: null, ...over } as ShardStats;
}
const down = { status: 'restarting', ready: false, restarts: 3, lastExit: exit } as const;
const lines = (stats: Partial<ManagerStats>, width = size.width, status = 'degraded') =>
	troubleLines({ manager: { status }, ...stats } as ManagerStats, { ...size, width });

it('says nothing when all is well', () => {
	expect(lines({ shards: [shard(0), shard(1, { lastExit: exit })] })).toEqual([]);
});

it('names the shards of a worker together, with why and since when', () => {
	expect(lines({ shards: [shard(0), shard(1), shard(2, down), shard(3, down)] })).toEqual([
		'✖ shards 2-3 restarting (worker 1, restarted 3 times): process 7 exited with code 1, 12s ago',
	]);
});

it('stays short in a large outage, and fits the width', () => {
	const told = lines({ shards: Array.from({ length: 100 }, (_, id) => shard(id, down)) }, 60);
	expect(told).toHaveLength(5);
	expect(told.at(-1)).toBe('✖ and 46 more');
	expect(told.filter((line) => line.length > 60)).toEqual([]);
});

it('names sessions that are cut off, and gateway processes that are gone', () => {
	const gateway = (id: number, status: string, upstream: string) =>
		({
			id,
			status,
			restarts: 1,
			shardIds: [2 * id, 2 * id + 1],
			sessions: [{ id: 2 * id, shardIds: [2 * id], status: upstream }],
		}) as unknown as NonNullable<ManagerStats['gateways']>[number];
	expect(
		lines({
			shards: [],
			gateways: [gateway(0, 'ready', 'ready'), gateway(1, 'ready', 'resuming'), gateway(2, 'starting', 'ready')],
		}),
	).toEqual(['✖ shard 2: session with Discord resuming (gateway process 1)', '✖ shards 4-5: gateway process 2 is starting']);
});

it('does not cry while a fleet comes up or goes down, but for what has failed already', () => {
	const booting = { status: 'booting', ready: false } as const;
	const shards = [shard(0, booting), shard(2, down)];
	expect(lines({ shards }, size.width, 'starting')).toEqual([expect.stringMatching(/^✖ shard 2 restarting/)]);
	expect(lines({ shards }, size.width, 'stopping')).toEqual([]);
});
