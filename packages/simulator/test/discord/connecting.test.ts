// Numbered cases of the specification: the gateway's address, opening a connection, heartbeats, frames.
import { connect } from 'node:net';
import { fakeClock } from '@shardctl/test-support';
import { expect, test } from 'vitest';
import { connected, RawClient, rest, simulator } from '../raw-client.js';

test('S1 /gateway responds without a token', async () => {
	const sim = await simulator();
	expect(await rest(sim, '/gateway', { token: null })).toMatchObject({
		status: 200,
		json: { url: `ws://127.0.0.1:${sim.port}` },
	});
});

test('S2 /gateway/bot has its full shape in whole numbers; no token or a wrong one gets 401', async () => {
	const sim = await simulator();
	const { json } = await rest(sim, '/gateway/bot');
	expect(json).toEqual({
		url: `ws://127.0.0.1:${sim.port}`,
		shards: 1,
		session_start_limit: { total: 1000, remaining: 1000, reset_after: 0, max_concurrency: 16 },
	});
	for (const token of [null, 'wrong']) {
		expect(await rest(sim, '/gateway/bot', { token })).toMatchObject({
			status: 401,
			json: { message: '401: Unauthorized', code: 0 },
		});
	}
});

test('S3 the recommended shards follow the guild count between calls', async () => {
	const sim = await simulator({ guilds: 1000 });
	expect((await rest(sim, '/gateway/bot')).json.shards).toBe(1);
	await fetch(new URL('/simulator/guilds', sim.url), {
		method: 'POST',
		headers: { 'content-type': 'application/json' },
		body: '{"count":1001}',
	});
	expect((await rest(sim, '/gateway/bot')).json.shards).toBe(2);
	sim.faults.recommendShards(7);
	expect((await rest(sim, '/gateway/bot')).json.shards).toBe(7);
});

test('S10 HELLO is sent first; v=99 closes with 4012; REST v5 returns 400', async () => {
	const sim = await simulator();
	const client = await connected(sim);
	expect(client.frames[0]).toMatchObject({ op: 10, d: { heartbeat_interval: 41_250 }, s: null, t: null });
	expect(await (await RawClient.connect(sim, { query: 'v=99&encoding=json' })).closed).toBe(4012);
	expect((await rest(sim, '/gateway', { version: '/v5' })).status).toBe(400);
	await expect(RawClient.connect(sim, { query: 'v=5&encoding=json' })).rejects.toThrow('400');
});

test('S12 op 1 is acknowledged, with d null before any event; the server may request a heartbeat', async () => {
	const sim = await simulator();
	const client = await RawClient.connect(sim);
	client.send(1, null);
	expect(await client.next(11)).toEqual({ op: 11, d: null, s: null, t: null });
	await client.up();
	expect(sim.faults.requestHeartbeat({ shard: 0 })).toBe(1);
	expect(await client.next(1)).toEqual({ op: 1, d: null, s: null, t: null });
	client.send(1, 5);
	await client.next(11);
	expect(sim.state().sessions[0]?.acknowledgedSeq).toBe(5);
});

test('S13 missed heartbeats close the connection, and the session can be resumed', async () => {
	const clock = fakeClock();
	const sim = await simulator({ clock });
	const client = await connected(sim);
	const { sessionId, seq } = sim.state().sessions[0] ?? { sessionId: '', seq: 0 };
	await clock.advance(41_250);
	client.send(1, seq);
	await client.next(11);
	await clock.advance(41_250 * 1.5 - 1);
	expect(sim.state().connections).toBe(1);
	await clock.advance(1);
	expect(await client.closed).toBe(4000);
	const again = await RawClient.connect(sim);
	again.resume(sessionId, seq);
	await again.next('RESUMED');
});

test('S15 a frame of 4097 bytes closes with 4002, one of 4096 is accepted', async () => {
	const sim = await simulator();
	const client = await RawClient.connect(sim);
	const frame = (size: number) => `{"op":1,"d":null${' '.repeat(size - 17)}}`;
	client.sendRaw(frame(4096));
	await client.next(11);
	client.sendRaw(frame(4097));
	expect(await client.closed).toBe(4002);
});

test('S16 malformed JSON closes with 4002, op 99 with 4001', async () => {
	const sim = await simulator();
	const [one, two] = [await RawClient.connect(sim), await RawClient.connect(sim)];
	one.sendRaw('{"op":');
	two.send(99, null);
	expect([await one.closed, await two.closed]).toEqual([4002, 4001]);
});

test('S17 op 3 before IDENTIFY closes with 4003, a second IDENTIFY with 4005', async () => {
	const sim = await simulator();
	const [one, two] = [await RawClient.connect(sim), await connected(sim)];
	one.send(3, { since: null, activities: [], status: 'online', afk: false });
	two.identify();
	expect([await one.closed, await two.closed]).toEqual([4003, 4005]);
});

test('S43 op 7 is sent before HELLO, instead of it, and in the middle of the stream', async () => {
	const sim = await simulator();
	const before = sim.faults.reconnectOnConnect();
	const one = await RawClient.connect(sim);
	await one.next(10);
	expect(one.types()).toEqual([7, 10]);
	sim.faults.end(before);
	sim.faults.reconnectOnConnect({ instead: true });
	const two = await RawClient.connect(sim);
	expect(await two.next(7)).toEqual({ op: 7, d: null, s: null, t: null });
	expect(two.types()).toEqual([7]);
	sim.faults.clear();
	const three = await connected(sim);
	sim.faults.reconnect();
	await three.next(7);
});

test('S47 the 121st frame in 60 s closes with 4008; other connections are not affected, and a new one starts again', async () => {
	const clock = fakeClock();
	const sim = await simulator({ clock });
	const [loud, quiet] = [await RawClient.connect(sim), await RawClient.connect(sim)];
	for (let n = 0; n < 120; n++) loud.send(1, null);
	await loud.settled().catch(() => {});
	expect(await loud.closed).toBe(4008);
	await quiet.settled();
	const fresh = await RawClient.connect(sim);
	for (let n = 0; n < 119; n++) fresh.send(1, null);
	await fresh.settled();
	await clock.advance(60_000);
	for (let n = 0; n < 50; n++) fresh.send(1, null);
	await fresh.settled();
	expect(sim.violations().map(({ kind, code }) => [kind, code])).toEqual([['protocol', 4008]]);
});

test.each(['zlib-stream', 'zstd-stream'])('S53 %s decodes to the same as plain text, with its own context', async (compress) => {
	const sim = await simulator({ guilds: 6, guildSizes: { min: 100, max: 500 }, identifyWindowMs: 0 });
	const query = `v=10&encoding=json&compress=${compress}`;
	const clients = [
		await connected(sim, { shard: [0, 1] }),
		await connected(sim, { shard: [0, 1] }, { query }),
		await connected(sim, { shard: [0, 1] }, { query }),
	];
	sim.emit('MESSAGE_CREATE', { content: 'ä€🦊'.repeat(50) });
	sim.emit('MESSAGE_CREATE', { content: 'x'.repeat(200_000) });
	const [plain, ...compressed] = await Promise.all(
		clients.map(async (client) => {
			await client.settled();
			return client.frames.filter(({ op, t }) => op === 0 && t !== 'READY');
		}),
	);
	expect(plain).toHaveLength(8);
	for (const frames of compressed) expect(frames).toEqual(plain);
});

test('payload compression sends the larger packets as separate zlib documents', async () => {
	const sim = await simulator();
	const client = await connected(sim, { compress: true });
	expect(client.events('GUILD_CREATE')).toHaveLength(4);
	expect(client.binaryMessages).toBeGreaterThanOrEqual(4);
	await client.settled();
});

test('a half-open WebSocket handshake does not affect others', async () => {
	const sim = await simulator();
	const socket = connect(sim.port, '127.0.0.1');
	await new Promise((resolve) => socket.once('connect', resolve));
	socket.write('GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n');
	await connected(sim);
	expect(sim.state().connections).toBe(1);
	socket.destroy();
});
