// Faults on demand and by schedule, as a client sees them.
import { fakeClock } from '@shardctl/test-support';
import { expect, test } from 'vitest';
import { connected, RawClient, rest, simulator } from './raw-client.js';

/** Lets data on the sockets arrive. */
async function arrived(sim: { port: number }): Promise<void> {
	await fetch(`http://127.0.0.1:${sim.port}/simulator/state`).then((response) => response.text());
}

test('a close with any code affects its shard only', async () => {
	const sim = await simulator();
	const [zero, one] = [await connected(sim, { shard: [0, 2] }), await connected(sim, { shard: [1, 2] })];
	expect(sim.faults.close(4321, { shard: 1, shardCount: 2 })).toBe(1);
	expect(await one.closed).toBe(4321);
	await zero.settled();
	expect(sim.log.entries({ type: 'fault' })).toMatchObject([{ fault: 'close', code: 4321, shard: 1 }]);
});

test('a black hole answers nothing and keeps the connection open until it ends', async () => {
	const clock = fakeClock();
	const sim = await simulator({ clock });
	const client = await connected(sim);
	sim.faults.blackHole({ forMs: 1000 });
	const before = client.frames.length;
	client.send(1, null);
	sim.emit('MESSAGE_CREATE');
	const swallowed = await RawClient.connect(sim);
	await arrived(sim);
	expect([client.frames.length, swallowed.frames.length]).toEqual([before, 0]);
	await clock.advance(1000);
	expect(sim.faults.active()).toEqual([]);
	await client.settled();
});

test('withheld ACKs: heartbeats count, and are not acknowledged', async () => {
	const clock = fakeClock();
	const sim = await simulator({ clock });
	const client = await connected(sim);
	const id = sim.faults.withholdAcks({ shard: 0 });
	client.send(1, 3);
	await expect.poll(() => sim.state().sessions[0]?.acknowledgedSeq).toBe(3);
	expect(client.types()).not.toContain(11);
	expect(sim.faults.end(id)).toBe(true);
	await client.settled();
});

test('latency keeps the order, slow reads take one frame at a time', async () => {
	const clock = fakeClock();
	const sim = await simulator({ clock });
	const client = await connected(sim);
	sim.faults.latency({ ms: 200, jitterMs: 100 });
	for (const content of ['a', 'b', 'c']) sim.emit('MESSAGE_CREATE', { content });
	await arrived(sim);
	expect(client.events('MESSAGE_CREATE')).toEqual([]);
	await clock.advance(300);
	for (const content of ['a', 'b', 'c']) expect((await client.next('MESSAGE_CREATE')).d.content).toBe(content);
	sim.faults.clear();
	sim.faults.slowReads({ everyMs: 1000 });
	const startedMs = clock.monotonic();
	for (let n = 1; n <= 3; n++) client.send(1, n);
	const read: number[] = [];
	while (read.length < 3) {
		await arrived(sim);
		await clock.advance(100);
		const seq = sim.state().sessions[0]?.acknowledgedSeq;
		if (seq && seq !== read.at(-1)) read.push(seq);
	}
	expect(read).toEqual([1, 2, 3]);
	expect(clock.monotonic() - startedMs).toBeGreaterThanOrEqual(3000);
});

test('an outage of guilds ends by itself', async () => {
	const clock = fakeClock();
	const sim = await simulator({ clock });
	const client = await connected(sim);
	const ids = [...sim.world.guilds.ids()].slice(0, 2);
	expect(sim.faults.guildOutage(ids, { forMs: 5000 })).toBe(2);
	expect((await client.next('GUILD_DELETE')).d).toEqual({ id: ids[0], unavailable: true });
	await clock.advance(5000);
	expect((await client.next('GUILD_CREATE')).d.id).toBe(ids[0]);
	expect((await client.next('GUILD_CREATE')).d.id).toBe(ids[1]);
});

test('REST: a series of 5xx for some paths, a share of requests, latency, and no response at all', async () => {
	const clock = fakeClock();
	const sim = await simulator({ clock });
	sim.faults.restStatus({ status: 503, path: '/users' });
	expect([(await rest(sim, '/users/@me')).status, (await rest(sim, '/gateway')).status]).toEqual([503, 200]);
	sim.faults.clear();
	sim.faults.restStatus({ status: 500, share: 0.5 });
	const answers = [];
	for (let n = 0; n < 40; n++) answers.push((await rest(sim, '/gateway')).status);
	expect(answers.filter((status) => status === 500).length).toBeGreaterThan(8);
	expect(answers.filter((status) => status === 200).length).toBeGreaterThan(8);
	sim.faults.clear();
	await clock.advance(60_000);
	sim.faults.restLatency({ ms: 700 });
	const slow = rest(sim, '/gateway');
	await expect.poll(() => clock.pendingTimers()).toBe(1);
	await clock.advance(700);
	expect((await slow).status).toBe(200);
	sim.faults.clear();
	sim.faults.restHang();
	const gone = new AbortController();
	const hanging = fetch(`${sim.url}/v10/gateway`, { signal: gone.signal });
	await expect.poll(() => sim.log.entries({ type: 'rest' }).at(-1)?.status).toBeNull();
	gone.abort();
	await expect(hanging).rejects.toThrow('abort');
});

test('an exhausted budget and a changed max_concurrency show in /gateway/bot', async () => {
	const sim = await simulator();
	sim.faults.sessionStarts({ remaining: 0, resetAfterMs: 1000 });
	sim.faults.maxConcurrency(2);
	expect((await rest(sim, '/gateway/bot')).json.session_start_limit).toMatchObject({ remaining: 0, max_concurrency: 2 });
	const client = await RawClient.connect(sim);
	client.identify();
	await client.next(9);
	expect(sim.violations()).toMatchObject([{ kind: 'identify-budget' }]);
});

test('a schedule runs its faults at their times, again and again, until it is cleared', async () => {
	const clock = fakeClock();
	const sim = await simulator({ clock });
	await connected(sim);
	sim.faults.schedule([
		{ atMs: 100, command: { fault: 'reconnect' } },
		{ atMs: 50, everyMs: 100, times: 3, command: { fault: 'recommend-shards', shards: 9 } },
		{ atMs: 10_000, command: { fault: 'drop' } },
	]);
	await clock.advance(1000);
	expect(sim.log.entries({ type: 'fault' }).map(({ fault, monotonicMs }) => [fault, monotonicMs])).toEqual([
		['recommend-shards', 50],
		['reconnect', 100],
		['recommend-shards', 150],
		['recommend-shards', 250],
	]);
	sim.faults.clear();
	await clock.advance(20_000);
	expect(sim.state().connections).toBe(1);
});

test('a stopped simulator leaves no timer, whatever was running', async () => {
	const clock = fakeClock();
	const sim = await simulator({ clock, eventsPerSecond: 50 });
	const client = await connected(sim);
	sim.faults.latency({ ms: 1000, forMs: 9000 });
	sim.faults.guildOutage([...sim.world.guilds.ids()], { forMs: 5000 });
	sim.faults.schedule([{ atMs: 5000, command: { fault: 'drop' } }]);
	sim.faults.restLatency({ ms: 9000 });
	const hanging = rest(sim, '/gateway').catch(() => 'hung up');
	await expect.poll(() => sim.faults.active().length).toBe(2);
	client.send(1, null);
	await expect.poll(() => clock.pendingTimers()).toBeGreaterThan(5);
	await Promise.all([sim.stop(), sim.stop()]);
	expect(await hanging).toBe('hung up');
	expect(await client.closed).toBe(1006);
	await expect.poll(() => clock.pendingTimers()).toBe(0);
});

test('an idle simulator has no timer at all', async () => {
	const clock = fakeClock();
	await simulator({ clock });
	expect(clock.pendingTimers()).toBe(0);
});
