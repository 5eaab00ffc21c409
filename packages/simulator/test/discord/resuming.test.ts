// Numbered cases of the specification: disconnecting and resuming.
import { fakeClock } from '@shardctl/test-support';
import { expect, test } from 'vitest';
import type { Simulator } from '../../src/index.js';
import { connected, RawClient, simulator } from '../raw-client.js';

function only(sim: Simulator) {
	const [session] = sim.state().sessions;
	if (!session) throw new Error('no session');
	return session;
}

async function resumed(sim: Simulator, sessionId: string, seq: number, path = '/resume'): Promise<RawClient> {
	const client = await RawClient.connect(sim, { path });
	client.resume(sessionId, seq);
	await client.next('RESUMED');
	return client;
}

test('S25 the sequence numbers of a session increase by one, across resumes; frames without an event have neither s nor t', async () => {
	const sim = await simulator();
	const client = await connected(sim);
	sim.emit('MESSAGE_CREATE');
	await client.next('MESSAGE_CREATE');
	const { sessionId, seq } = only(sim);
	await client.terminate();
	sim.emit('MESSAGE_CREATE');
	const again = await resumed(sim, sessionId, seq);
	sim.emit('MESSAGE_CREATE');
	await again.settled();
	const frames = [...client.frames, ...again.frames];
	const numbers = frames.filter(({ op }) => op === 0).map(({ s }) => s);
	expect(numbers).toEqual(numbers.map((_, n) => n + 1));
	expect(frames.filter(({ op }) => op !== 0).every(({ s, t }) => s === null && t === null)).toBe(true);
});

test('S37 after a dropped connection the missed events are sent in order, once, then RESUMED, and no READY', async () => {
	const sim = await simulator();
	const client = await connected(sim);
	const { sessionId, seq } = only(sim);
	await client.terminate();
	for (const content of ['one', 'two', 'three']) sim.emit('MESSAGE_CREATE', { content });
	const again = await resumed(sim, sessionId, seq);
	expect(again.frames.map(({ t, op, d }) => d?.content ?? t ?? op)).toEqual([10, 'one', 'two', 'three', 'RESUMED']);
	expect(sim.log.entries({ type: 'resume' })).toMatchObject([{ outcome: 'accepted', replayed: 3, shardId: 0 }]);
});

test.each([
	[1000, false],
	[1001, false],
	[4000, true],
	[4200, true],
	[4900, true],
])('S39 a client that closes with %d: resumable %s', async (code, resumable) => {
	const sim = await simulator();
	const client = await connected(sim);
	const { sessionId, seq } = only(sim);
	await client.close(code);
	const again = await RawClient.connect(sim, { path: '/resume' });
	again.resume(sessionId, seq);
	expect((await again.next(resumable ? 'RESUMED' : 9)).d).toEqual(resumable ? { _trace: [] } : false);
});

test('S40 an expired session gets op 9 false', async () => {
	const clock = fakeClock();
	const sim = await simulator({ clock });
	const client = await connected(sim);
	const { sessionId, seq } = only(sim);
	sim.faults.drop();
	await client.closed;
	await clock.advance(120_000);
	const again = await RawClient.connect(sim);
	again.resume(sessionId, seq);
	expect((await again.next(9)).d).toBe(false);
	expect(sim.log.entries({ type: 'session-end' })).toMatchObject([{ end: 'expired', sessionId }]);
});

test('S41 a seq that is ahead closes with 4007', async () => {
	const sim = await simulator();
	const client = await connected(sim);
	const { sessionId, seq } = only(sim);
	await client.terminate();
	const again = await RawClient.connect(sim);
	again.resume(sessionId, seq + 1);
	expect(await again.closed).toBe(4007);
});

test('a seq that is older than the buffer gets op 9 false', async () => {
	const sim = await simulator({ replay: { maxEvents: 2 } });
	const client = await connected(sim);
	const { sessionId, seq } = only(sim);
	await client.terminate();
	for (let n = 0; n < 3; n++) sim.emit('MESSAGE_CREATE');
	const again = await RawClient.connect(sim);
	again.resume(sessionId, seq);
	expect((await again.next(9)).d).toBe(false);
});

test.each(['the same', 'a new'])('S42 after op 9 true a resume works on %s socket', async (which) => {
	const sim = await simulator();
	const client = await connected(sim);
	const { sessionId, seq } = only(sim);
	sim.faults.invalidate({ resumable: true });
	expect((await client.next(9)).d).toBe(true);
	sim.emit('MESSAGE_CREATE', { content: 'meanwhile' });
	const on = which === 'the same' ? client : await RawClient.connect(sim);
	on.resume(sessionId, seq);
	expect((await on.next('MESSAGE_CREATE')).d.content).toBe('meanwhile');
	await on.next('RESUMED');
});

test('after op 9 false the session is gone, and the same socket may identify', async () => {
	const sim = await simulator({ identifyWindowMs: 0 });
	const client = await connected(sim);
	const { sessionId, seq } = only(sim);
	sim.faults.invalidate();
	await client.next(9);
	client.resume(sessionId, seq);
	expect((await client.next(9)).d).toBe(false);
	await client.up();
});

test('a resume with a wrong token closes with 4004 and keeps the session', async () => {
	const sim = await simulator();
	const client = await connected(sim);
	const { sessionId, seq } = only(sim);
	const thief = await RawClient.connect(sim);
	thief.resume(sessionId, seq, { token: 'wrong' });
	expect(await thief.closed).toBe(4004);
	await client.settled();
});

test('a gateway restart drops every connection; the sessions can be resumed, or are lost if configured', async () => {
	const sim = await simulator({ identifyWindowMs: 0 });
	const clients = [await connected(sim, { shard: [0, 2] }), await connected(sim, { shard: [1, 2] })];
	const [first, second] = sim.state().sessions;
	expect(sim.faults.restartGateway()).toBe(2);
	expect(await Promise.all(clients.map(({ closed }) => closed))).toEqual([1006, 1006]);
	await resumed(sim, first?.sessionId ?? '', first?.seq ?? 0);
	sim.faults.restartGateway({ keepSessions: false });
	const late = await RawClient.connect(sim);
	late.resume(second?.sessionId ?? '', second?.seq ?? 0);
	expect((await late.next(9)).d).toBe(false);
});
