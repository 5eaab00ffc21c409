import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { botKey, type GatewayNotice, type WorkerConnection, WorkerPaths } from '@shardctl/core';
import { fakeClock } from '@shardctl/test-support';
import { describe, expect, it, onTestFinished, test } from 'vitest';
import { MemoryContent, MemorySnapshotStore } from '../../test/support/memory-snapshot-store.js';
import { type ReplacingSession, ReshardRecord } from '../session/reshard-record.js';
import { HeldSnapshots } from '../snapshots/held-snapshots.js';
import { LeaseWatch } from './lease-watch.js';
import { ResidentGateway } from './resident-gateway.js';

/** Two sessions with four shards; no session starts before a worker identifies. */
function setup(content = new MemoryContent(), fence = '1', pathSecret?: string, lease?: LeaseWatch) {
	const clock = fakeClock();
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
			...(pathSecret === undefined ? {} : { pathSecret }),
		},
		token: 'token',
		clock,
		store: new MemorySnapshotStore(content),
		fence: async () => fence,
		...(lease && { lease }),
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
	return { gateway, held, notices, clock };
}

it('holds the sessions of its configuration, and admits the workers it names', async () => {
	const { gateway, held } = setup();
	await gateway.start();
	expect(held()).toEqual([
		[0, 1],
		[0, 1, 2, 3],
	]);
	expect(gateway.shards([0, 1, 2]).map(({ handover }) => handover.present)).toEqual([7, 7, 0]);
	expect(() => gateway.shards([4])).toThrow(expect.objectContaining({ code: 'SHARD_NOT_OWNED' }));
});

it('releases one session, keeps the others, and adds it again', async () => {
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

const otherShards = {
	layout: { generation: 1, totalShards: 8, sessions: 2 },
	shardIds: [0, 1, 2, 3, 4, 5, 6, 7],
	workers: [{ incarnation: 8, shardIds: [0, 1, 2, 3, 4, 5, 6, 7] }],
};

it('rejects each step of a change of the shards that was dropped with the reason, until another one begins', async () => {
	const { gateway } = setup();
	await gateway.start();
	expect(() => gateway.changeOf(1)).toThrow(expect.objectContaining({ code: 'PROTOCOL_ERROR' }));
	await gateway.beginShards(otherShards);
	gateway.changeOf(1).drop('the buffer is full');
	const failed = { code: 'RESHARD_FAILED', message: expect.stringContaining('the buffer is full') };
	await expect(gateway.changeOf(1).cut({ sealedWithinMs: 1000 })).rejects.toMatchObject(failed);
	expect(() => gateway.commitShards(1)).toThrow(expect.objectContaining(failed));
	await gateway.beginShards(otherShards);
	expect(gateway.changeOf(1).state).toBe('waiting');
	expect(await gateway.dropShards(1)).toEqual({ reason: null });
});

it('cannot start after a newer process has claimed the snapshots', async () => {
	const content = new MemoryContent();
	await setup(content, '5').gateway.start();
	const late = setup(content, '4').gateway;
	await expect(late.start()).rejects.toMatchObject({ code: 'FENCED' });
});

it('in a cluster: has the sessions that the owner before had put in place of others by the time it was fenced', async () => {
	const content = new MemoryContent();
	const clock = fakeClock();
	const lease = new LeaseWatch({ clock, doubtMs: 1000, machineClock: () => clock.monotonic() });
	const { gateway, held } = setup(content, '2', undefined, lease);
	await gateway.start();
	const [shard] = gateway.shards([3]);
	// Prepared for a move; the owner replaces one of its sessions meanwhile.
	const owner = new HeldSnapshots(new MemorySnapshotStore(content));
	await owner.hold('1');
	const record = new ReshardRecord({
		bot: botKey('token'),
		layout: { generation: 0, totalShards: 4 },
		shardIds: [0, 1, 2, 3],
		store: owner,
	});
	const session = { sessionId: 'x', resumeUrl: 'ws://127.0.0.1:1' } as unknown as ReplacingSession['session'];
	const added = [1, 3].map((id): ReplacingSession => {
		return { id, of: 4, session, base: 0, shards: [{ id, through: 0, skip: [], replaced: 'before' }] };
	});
	await record.add(added);
	expect(held()[0]).toEqual([0, 1]);
	await gateway.hear({ epoch: 2, identity: 'engine', untilMs: clock.monotonic() + 1000 });
	expect(gateway.stats().sessions.map(({ id, of, shardIds }) => [id, of, shardIds])).toEqual([
		[0, 2, [0, 2]],
		[1, 4, [1]],
		[3, 4, [3]],
	]);
	// What carries the shard has changed, and not the shard.
	expect(gateway.shards([3])[0]).toBe(shard);
	expect(shard?.stats().session).toBe(3);
	await expect(record.add([])).rejects.toMatchObject({ code: 'FENCED' });
});

describe('the local server', () => {
	const secret = 'of this fleet';

	/** A connection, with everything it received once it is closed. */
	async function dial(port: number, text = ''): Promise<{ socket: Socket; closed: Promise<string> }> {
		const socket = connect(port, '127.0.0.1');
		let got = '';
		socket.on('error', () => {});
		socket.on('data', (data) => {
			got += data.toString('latin1');
		});
		const closed = new Promise<string>((resolve) => socket.once('close', () => resolve(got)));
		await once(socket, 'connect');
		socket.write(text);
		return { socket, closed };
	}

	const upgrade = (target: string) =>
		`GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n` +
		'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';

	test.each([
		['the root', '/?v=10'],
		['a path without its key', '/worker/7?v=10'],
		['the key of another fleet', `${new WorkerPaths('x').of(7)}?v=10`],
	])('finding 11: rejects the upgrade of a client on %s', async (_, target) => {
		const { gateway, notices } = setup(undefined, undefined, secret);
		const { closed } = await dial(await gateway.start(), upgrade(target));
		expect(await closed).toMatch(/^HTTP\/1.1 403 Forbidden/);
		expect(notices).toMatchObject([{ kind: 'worker:refused', message: expect.stringContaining('does not know the path') }]);
	});

	test("finding 11: sends HELLO to a client on a worker's path, and does not time it out", async () => {
		const { gateway, clock } = setup(undefined, undefined, secret);
		const { socket } = await dial(await gateway.start(), upgrade(`${new WorkerPaths(secret).of(7)}?v=10&encoding=json`));
		const [data] = (await once(socket, 'data')) as [Buffer];
		expect(data.toString()).toMatch(/^HTTP\/1.1 101/);
		await clock.advance(31_000);
		expect(socket.destroyed).toBe(false);
		socket.destroy();
	});

	test.each([
		['says nothing', ''],
		['sends half a request', 'GET / HTTP/1.1\r\nHost'],
	])('finding 11: closes a connection after 30 s that %s', async (_, text) => {
		const { gateway, clock, notices } = setup(undefined, undefined, secret);
		const { socket, closed } = await dial(await gateway.start(), text);
		await expect.poll(() => clock.pendingTimers()).toBeGreaterThan(0);
		await clock.advance(29_000);
		expect(socket.destroyed).toBe(false);
		await clock.advance(1500);
		await closed;
		expect(notices).toMatchObject([{ message: expect.stringContaining('did not show that it is a worker within 30 s') }]);
	});

	test('finding 11: keeps the newest of 400 silent connections, admits a worker, and reports once', async () => {
		const { gateway, notices } = setup(undefined, undefined, secret);
		const port = await gateway.start();
		const silent = await Promise.all(Array.from({ length: 400 }, () => dial(port)));
		await expect.poll(() => silent.filter(({ socket }) => socket.closed).length).toBe(400 - 64 - 4 * 4);
		const { socket } = await dial(port, upgrade(`${new WorkerPaths(secret).of(7)}?v=10&encoding=json`));
		expect(String(((await once(socket, 'data')) as [Buffer])[0])).toMatch(/^HTTP\/1.1 101/);
		expect(notices).toHaveLength(1);
		socket.destroy();
		for (const each of silent) each.socket.destroy();
	});

	test('admits as many silent connections as the workers of both shard counts need while the shards are replaced', async () => {
		const { gateway } = setup(undefined, undefined, secret);
		const port = await gateway.start();
		await gateway.beginShards(otherShards);
		const silent = await Promise.all(Array.from({ length: 120 }, () => dial(port)));
		await expect.poll(() => silent.filter(({ socket }) => socket.closed).length).toBe(120 - 64 - 4 * 12);
		for (const each of silent) each.socket.destroy();
	});

	test.each(['//', '//[', 'http://[', '*', '/\\', `/${'x'.repeat(12_000)}`])(
		'finding 1: responds with 400 to an upgrade of %s',
		async (target) => {
			const { gateway } = setup(undefined, undefined, secret);
			const { closed } = await dial(await gateway.start(), upgrade(target));
			expect(await closed).toMatch(/^HTTP\/1.1 400 /);
		},
	);
});
