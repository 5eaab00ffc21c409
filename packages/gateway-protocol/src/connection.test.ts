// The state machine of a connection, without sockets: each state against each kind of frame, and every way to end.
import { type FakeClock, fakeClock } from '@shardctl/test-support';
import { expect, test } from 'vitest';
import type { GatewayBackend, IdentifyAnswer } from './backend.js';
import type { ClientRequest } from './client-payloads.js';
import { GatewayConnection } from './connection.js';
import { EncodedDispatch } from './dispatch.js';
import { defaultRules } from './gateway-server.js';
import type { GatewayObservation } from './observer.js';
import { type SessionEnd, SessionStore } from './session-store.js';

const identify = { token: 'good', properties: {}, intents: 1 };

interface Sent {
	op: number;
	d: unknown;
	s: number | null;
	t: string | null;
}

class Rig {
	readonly clock: FakeClock = fakeClock();
	readonly requests: ClientRequest[] = [];
	readonly ends: SessionEnd[] = [];
	readonly observed: GatewayObservation[] = [];
	answer: IdentifyAnswer | Promise<IdentifyAnswer> = { accept: true };
	readonly backend: GatewayBackend = {
		authenticate: (token) => token === 'good',
		grantedIntents: () => 0,
		identify: () => this.answer,
		sessionStarted: (session) => session.dispatch(EncodedDispatch.of('READY', { session_id: session.id })),
		sessionEnded: () => {},
		request: (_, request) => this.requests.push(request),
	};
	readonly sessions = new SessionStore({ clock: this.clock, ttlMs: 60_000, onEnd: (_, end) => this.ends.push(end) });
	#nextId = 1;

	connect() {
		const sent: Sent[] = [];
		const closes: number[] = [];
		const info = { id: this.#nextId++, remoteAddress: '', host: '', path: '/', version: 10, compression: 'none' } as const;
		const transport = {
			send: (frame: string) => sent.push(JSON.parse(frame) as Sent),
			close: (code: number) => closes.push(code),
			terminate: () => closes.push(1006),
		};
		const connection = new GatewayConnection(info, transport, {
			clock: this.clock,
			backend: this.backend,
			sessions: this.sessions,
			rules: defaultRules,
			observe: (observation) => this.observed.push(observation),
			onClosed: () => {},
			enablePayloadCompression: () => {},
		});
		const send = (op: number, d: unknown) => connection.receive(Buffer.from(JSON.stringify({ op, d })), false);
		return { connection, sent, closes, send, types: () => sent.map(({ op, t }) => t ?? op) };
	}

	live() {
		const client = this.connect();
		client.send(2, identify);
		return { ...client, sessionId: client.connection.session?.id ?? '' };
	}
}

test('sends HELLO first, then READY with number 1', () => {
	const { sent } = new Rig().live();
	expect(sent[0]).toMatchObject({ op: 10, d: { heartbeat_interval: 41_250 }, s: null, t: null });
	expect(sent[1]).toMatchObject({ op: 0, t: 'READY', s: 1 });
});

const requests = [
	[3, { status: 'online', activities: [], since: null, afk: false }],
	[4, { guild_id: '1', channel_id: null }],
	[8, { guild_id: '1', query: '', limit: 0 }],
	[31, { guild_ids: ['1'] }],
	[43, { guild_id: '1', fields: ['status'] }],
] as const;

test.each(requests)('op %d before a session closes with 4003, and reaches the backend in one', (opcode, d) => {
	const rig = new Rig();
	const early = rig.connect();
	early.send(opcode, d);
	expect(early.closes).toEqual([4003]);
	rig.live().send(opcode, d);
	expect(rig.requests.map(({ op }) => op)).toEqual([opcode]);
});

test.each(requests.map(([opcode]) => opcode))(
	'op %d with a wrong payload closes with 4001 in a session and 4003 before',
	(opcode) => {
		const rig = new Rig();
		const [early, live] = [rig.connect(), rig.live()];
		early.send(opcode, 'nonsense');
		live.send(opcode, 'nonsense');
		expect([early.closes, live.closes]).toEqual([[4003], [4001]]);
	},
);

test.each([
	['a second IDENTIFY', 2, identify],
	['a RESUME', 6, { token: 'good', session_id: 'x', seq: 0 }],
])('%s in a session closes with 4005', (_, opcode, d) => {
	const { send, closes } = new Rig().live();
	send(opcode, d);
	expect(closes).toEqual([4005]);
});

test.each([
	[{ ...identify, token: 'bad' }, 4004],
	[{ ...identify, shard: [3, 3] }, 4010],
	[{ ...identify, shard: [-1, 3] }, 4010],
	[{ ...identify, shard: [0, 0] }, 4010],
	[{ ...identify, intents: 1 << 17 }, 4013],
	[{ ...identify, intents: 1 << 1 }, 4014],
	[{ ...identify, intents: 'x' }, 4001],
])('IDENTIFY %j closes with %d', (d, code) => {
	const rig = new Rig();
	const { send, closes } = rig.connect();
	send(2, d);
	expect(closes).toEqual([code]);
	expect(rig.sessions.size).toBe(0);
});

test('op 9 from the backend rejects an IDENTIFY, after which the same connection may identify', () => {
	const rig = new Rig();
	rig.answer = { accept: false, invalidSession: { resumable: false } };
	const client = rig.connect();
	client.send(2, identify);
	rig.answer = { accept: true };
	client.send(2, identify);
	expect(client.types()).toEqual([10, 9, 'READY']);
});

test('acknowledges heartbeats and closes on a second IDENTIFY while the backend decides; the late decision changes nothing', async () => {
	const rig = new Rig();
	let decide: (answer: IdentifyAnswer) => void = () => {};
	rig.answer = new Promise((resolve) => {
		decide = resolve;
	});
	const client = rig.connect();
	client.send(2, identify);
	client.send(1, null);
	expect([client.connection.state, client.types()]).toEqual(['identifying', [10, 11]]);
	client.send(2, identify);
	expect(client.closes).toEqual([4005]);
	decide({ accept: true });
	await Promise.resolve();
	expect(rig.sessions.size).toBe(0);
});

test('closes with 4000 when the backend fails', async () => {
	const rig = new Rig();
	rig.answer = Promise.reject(new Error('no upstream'));
	const client = rig.connect();
	client.send(2, identify);
	await Promise.resolve();
	await Promise.resolve();
	expect(client.closes).toEqual([4000]);
});

test.each([
	[1000, 'client closed'],
	[1001, 'client closed'],
	[1005, undefined],
	[1006, undefined],
	[4000, undefined],
	[4200, undefined],
])('when a client closes with %d: session end %s', (code, end) => {
	const rig = new Rig();
	rig.live().connection.closed(code);
	expect(rig.ends).toEqual(end ? [end] : []);
});

test.each([
	[4000, 0],
	[4004, 1],
	[4008, 0],
	[4009, 1],
])('a server close with %d ends %d sessions', (code, ended) => {
	const rig = new Rig();
	const { connection, closes } = rig.live();
	connection.close(code);
	connection.close(code);
	expect(closes).toEqual([code]);
	expect(rig.ends).toHaveLength(ended);
});

test('RESUME replays missed events, once and in order, then RESUMED; a later one does not replay RESUMED', () => {
	const rig = new Rig();
	const first = rig.live();
	const session = rig.sessions.get(first.sessionId);
	first.connection.closed(1006);
	for (const n of [1, 2]) session?.dispatch(EncodedDispatch.of('E', n));
	const second = rig.connect();
	second.send(6, { token: 'good', session_id: first.sessionId, seq: 1 });
	expect(second.sent.slice(1).map(({ t, s, d }) => [t, s, d])).toEqual([
		['E', 2, 1],
		['E', 3, 2],
		['RESUMED', 4, { _trace: [] }],
	]);
	second.connection.closed(1006);
	const third = rig.connect();
	third.send(6, { token: 'good', session_id: first.sessionId, seq: 2 });
	expect(third.types()).toEqual([10, 'E', 'RESUMED']);
	expect(third.sent.at(-1)?.s).toBe(5);
});

test.each([
	['a wrong token', { token: 'bad' }, { closes: [4004], types: [10], sessions: 1 }],
	['a seq that is ahead', { seq: 99 }, { closes: [4007], types: [10], sessions: 0 }],
	['an unknown session', { session_id: 'none' }, { closes: [], types: [10, 9], sessions: 1 }],
])('rejects a RESUME with %s', (_, change, { closes, types, sessions }) => {
	const rig = new Rig();
	const first = rig.live();
	first.connection.closed(1006);
	const client = rig.connect();
	client.send(6, { token: 'good', session_id: first.sessionId, seq: 1, ...change });
	expect([client.closes, client.types(), rig.sessions.size]).toEqual([closes, types, sessions]);
});

test('rejects a RESUME of an expired session, and leaves no timer', async () => {
	const rig = new Rig();
	const first = rig.live();
	first.connection.closed(1006);
	await rig.clock.advance(60_000);
	expect([rig.ends, rig.clock.pendingTimers()]).toEqual([['expired'], 0]);
});

test('a resume takes the session from its old connection', () => {
	const rig = new Rig();
	const first = rig.live();
	const second = rig.connect();
	second.send(6, { token: 'good', session_id: first.sessionId, seq: 1 });
	expect([first.closes, second.connection.state, rig.ends]).toEqual([[4000], 'live', []]);
	first.connection.closed(1000);
	expect(rig.sessions.size).toBe(1);
});

test.each([true, false])('op 9 with resumable %s returns to awaiting', (resumable) => {
	const rig = new Rig();
	const { connection, send, types, sessionId } = rig.live();
	connection.invalidateSession({ resumable });
	send(6, { token: 'good', session_id: sessionId, seq: 1 });
	expect(types()).toEqual(resumable ? [10, 'READY', 9, 'RESUMED'] : [10, 'READY', 9, 9]);
});

test('ending a session notifies its connection once', () => {
	const rig = new Rig();
	const client = rig.live();
	rig.sessions.endAll('invalidated');
	expect([client.types(), client.connection.state]).toEqual([[10, 'READY', 9], 'awaiting']);
});

test('closes with 4008 at the 121st frame of a minute, heartbeats included', async () => {
	const rig = new Rig();
	const client = rig.live();
	for (let n = 0; n < 119; n++) client.send(1, null);
	expect(client.closes).toEqual([]);
	await rig.clock.advance(41_000);
	client.send(1, null);
	expect(client.closes).toEqual([4008]);
});

test('drops the sixth presence update in 20 s', () => {
	const rig = new Rig();
	const client = rig.live();
	for (let n = 0; n < 6; n++) client.send(...requests[0]);
	expect(rig.requests).toHaveLength(5);
	expect(client.closes).toEqual([]);
});

test('closes a silent client with 4000 after one and a half intervals; reads and sends nothing afterwards', async () => {
	const rig = new Rig();
	const client = rig.live();
	await rig.clock.advance(41_250 * 1.5);
	client.send(1, null);
	expect([client.closes, client.types()]).toEqual([[4000], [10, 'READY']]);
	expect(rig.clock.pendingTimers()).toBe(1);
});

test('sends op 1 and op 7 as documented', () => {
	const { connection, sent } = new Rig().connect();
	connection.requestHeartbeat();
	connection.requestReconnect();
	expect(sent.slice(1)).toEqual([
		{ op: 1, d: null, s: null, t: null },
		{ op: 7, d: null, s: null, t: null },
	]);
});
