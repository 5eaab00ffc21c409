import type { ManagerStats } from '@shardctl/manager';
import { expect, it } from 'vitest';
import { gatewayTable } from './stats-table.js';

const gateway = (shardId: number, node?: string) =>
	({
		id: 0,
		node,
		pid: 4000 + shardId,
		rssBytes: 60 * 2 ** 20,
		sessions: [{ id: shardId, shardIds: [shardId], status: 'ready', resumes: 0 }],
		shards: [{ shardId, session: shardId, worker: 'connected', bufferedEvents: 0, eventsPerSecond: 1, lost: 0, received: 3 }],
	}) as unknown as NonNullable<ManagerStats['gateways']>[number];
const lines = (...gateways: ReturnType<typeof gateway>[]) => gatewayTable({ gateways } as ManagerStats, 200);

it('orders the rows of gateway processes by shard, and names the node of each in a cluster', () => {
	const [head, ...rows] = lines(gateway(2, 'b'), gateway(0, 'a'), gateway(1, 'c'));
	expect(head).toMatch(/^SHARD {2}NODE {2}SESSION/);
	expect(rows.map((row) => row.trim().split(/ +/).slice(0, 3))).toEqual([
		['0', 'a', 'ready'],
		['1', 'c', 'ready'],
		['2', 'b', 'ready'],
	]);
	expect(lines(gateway(0))[0]).not.toContain('NODE');
});
