import type { GatewayNotice, WorkerConnection } from '@shardctl/core';
import { fakeClock } from '@shardctl/test-support';
import { expect, it, onTestFinished } from 'vitest';
import { MemoryContent, MemorySnapshotStore } from '../../test/support/memory-snapshot-store.js';
import { ResidentGateway } from './resident-gateway.js';

/** Two sessions that carry four shards; no session starts before a worker identifies. */
function setup(content = new MemoryContent(), fence = '1') {
	const notices: GatewayNotice[] = [];
	const connections: WorkerConnection[] = [];
	const gateway = new ResidentGateway({
		config: {
			gatewayId: 0,
			epoch: 1,
			shardIds: [0, 1, 2, 3],
			layout: { generation: 0, totalShards: 4, sessions: 2 },
			api: 'http://127.0.0.1:1',
			gateway: {
				url: 'ws://127.0.0.1:1',
				shards: 2,
				session_start_limit: { total: 1000, remaining: 1000, reset_after: 0, max_concurrency: 1 },
			},
			port: 0,
			snapshotDir: '',
			delivery: 'at-most-once',
			buffer: { events: 100, bytes: 2 ** 20, ageMs: 60_000 },
			compression: 'none',
			workers: [{ incarnation: 7, shardIds: [0, 1] }],
		},
		token: 'token',
		clock: fakeClock(),
		store: new MemorySnapshotStore(content),
		fence: async () => fence,
		identify: { wait: () => new Promise(() => {}), confirm: () => {} },
		onSessionStarted: () => {},
		onRefused: () => {},
		onConnection: (connection) => connections.push(connection),
		notice: (notice) => notices.push(notice),
	});
	onTestFinished(() => gateway.stop({ keepSessions: true }));
	const held = () => {
		const { sessions, shards } = gateway.stats();
		return [sessions.map(({ id }) => id), shards.map(({ shardId }) => shardId)];
	};
	return { gateway, held };
}

it('holds the sessions of its configuration, and admits the workers that it names', async () => {
	const { gateway, held } = setup();
	await gateway.start();
	expect(held()).toEqual([
		[0, 1],
		[0, 1, 2, 3],
	]);
	expect(gateway.shards([0, 1, 2]).map(({ handover }) => handover.present)).toEqual([7, 7, 0]);
	expect(() => gateway.shards([4])).toThrow(expect.objectContaining({ code: 'SHARD_NOT_OWNED' }));
});

it('releases one session and keeps the others, and adds it again', async () => {
	const { gateway, held } = setup();
	await gateway.start();
	const [released] = gateway.shards([1]);
	await gateway.release(1, { keepSession: true });
	expect(held()).toEqual([[0], [0, 2]]);
	expect(released?.handover.state).toBe('closed');
	expect(() => gateway.shards([1])).toThrow(expect.objectContaining({ code: 'SHARD_NOT_OWNED' }));
	await expect(gateway.release(1, { keepSession: true })).rejects.toMatchObject({ code: 'SHARD_NOT_OWNED' });
	await gateway.add({ session: 1, shardIds: [1, 3], workers: [{ incarnation: 9, shardIds: [1] }] });
	expect(held()).toEqual([
		[0, 1],
		[0, 1, 2, 3],
	]);
	expect(gateway.shards([1, 3]).map(({ handover }) => handover.present)).toEqual([9, 0]);
	await expect(gateway.add({ session: 1, shardIds: [1, 3], workers: [] })).rejects.toMatchObject({ code: 'INTERNAL' });
});

it('cannot start once a newer process has claimed what is saved', async () => {
	const content = new MemoryContent();
	await setup(content, '5').gateway.start();
	const late = setup(content, '4').gateway;
	await expect(late.start()).rejects.toMatchObject({ code: 'FENCED' });
});
