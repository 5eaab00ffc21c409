import { type CloseCode, deferred, type GatewayNotice, type SnapshotStore } from '@shardctl/core';
import { type ClientRequest, type IdentifyPayload, type SessionCarrier, SessionStore } from '@shardctl/gateway-protocol';
import { fakeClock } from '@shardctl/test-support';
import { expect, it, onTestFinished } from 'vitest';
import { MemoryContent, MemorySnapshotStore } from '../../test/support/memory-snapshot-store.js';
import type { WorkerSession } from '../downstream/worker-session.js';
import { HeldSnapshots } from '../snapshots/held-snapshots.js';
import type { SessionTerms } from '../upstream/upstream-shard.js';
import { ResidentShard } from './resident-shard.js';
import type { SessionLink } from './session-link.js';

const intents = 1 | 512;
/** Guilds of shard 1 and shard 3, of four. */
const [own, foreign] = [String(1n << 22n), String(3n << 22n)];
const identify: IdentifyPayload = { token: 't', properties: {}, intents, shard: [1, 4] };

/** A client that reads everything and answers every heartbeat request. */
class Client implements SessionCarrier {
	readonly id = 1;
	readonly frames: { s: number; t: string; d: Record<string, unknown> }[] = [];
	heartbeat: () => void = () => {};
	sendFrame = (frame: string) => void this.frames.push(JSON.parse(frame));
	requestHeartbeat = () => queueMicrotask(() => this.heartbeat());
	close = () => {};
	sessionLost = () => {};

	get types(): string[] {
		return this.frames.map(({ t }) => t);
	}
}

async function setup({
	content = new MemoryContent(),
	fence = '1',
	incarnation = 1,
	workerIsReady = false,
	backend = new MemorySnapshotStore(content) as SnapshotStore,
} = {}) {
	const clock = fakeClock();
	const notices: [GatewayNotice['kind'], string][] = [];
	const connections: [incarnation: number, status: string, closeCode?: number][] = [];
	const requests: ClientRequest[] = [];
	const store = new HeldSnapshots(backend);
	await store.hold(fence);
	const terms: SessionTerms = { intents, largeThreshold: null, presence: null };
	const session = { id: 1, botId: '9', newest: 0, prepared: true, terms };
	const link: SessionLink = {
		get id() {
			return session.id;
		},
		get botId() {
			return session.botId;
		},
		base: 0,
		get newest() {
			return session.newest;
		},
		prepare: () => session.prepared,
		ensure: async () => 'unchanged',
		refusal: () => new Promise<CloseCode | undefined>(() => {}),
		request: (request) => void requests.push(request),
		showPresence: () => {},
		release: () => {},
		checkpoint: () => ({
			session: {
				sessionId: 'discord',
				resumeUrl: 'wss://discord.invalid',
				terms: session.terms,
			},
			of: 1,
			base: 0,
		}),
	};
	const sessions: SessionStore = new SessionStore({
		clock,
		ttlMs: 60_000,
		createSession: (options) => shard.createSession(options),
		onEnd: (ended) => shard.sessionEnded(ended as WorkerSession),
	});
	const shard: ResidentShard = new ResidentShard({
		shardId: 1,
		layout: { generation: 0, totalShards: 4, sessions: 2 },
		session: link,
		incarnation,
		workerIsReady,
		delivery: 'at-most-once',
		buffer: { events: 1000, bytes: 2 ** 20, ageMs: 60_000 },
		clock,
		bot: '9',
		store,
		silentAfterMs: 4500,
		workerSessions: () => sessions,
		resumeUrl: (of) => `ws://127.0.0.1:1/worker/${of}`,
		onConnection: ({ incarnation: of, status, closeCode }) =>
			connections.push(closeCode === undefined ? [of, status] : [of, status, closeCode]),
		notice: (...notice) => notices.push(notice),
	});
	onTestFinished(async () => {
		shard.close();
		await shard.stop({ keepSession: true });
	});
	const receive = (t: string, d: object) => shard.receive({ t, d }, ++session.newest);
	/** Discord starts a session with one guild. */
	const start = async () => {
		shard.beginSession({ user: { id: '9' }, guilds: [{ id: own, unavailable: true }] }, ++session.newest, intents);
		receive('GUILD_CREATE', { id: own, name: 'guild', channels: [], members: [], roles: [], voice_states: [] });
		await clock.advance(100);
	};
	/** A worker process identifies, through the local gateway. */
	const connect = async (of: number) => {
		const decided = shard.identify(identify, of);
		await clock.advance(50);
		const answer = await decided;
		if (!answer.accept) throw new Error(`refused: ${JSON.stringify(answer)}`);
		const client = new Client();
		const made = sessions.create(identify) as WorkerSession;
		client.heartbeat = () => shard.heartbeat(made, client.frames.at(-1)?.s ?? null);
		sessions.attach(made, client);
		shard.sessionStarted(made, of);
		await clock.advance(500);
		return { client, made };
	};
	return { clock, shard, session, sessions, notices, connections, requests, content, receive, start, connect };
}

it('sends READY and the guilds to its worker, then every event', async () => {
	const { clock, shard, receive, start, connect, connections } = await setup();
	await start();
	const { client } = await connect(1);
	shard.workerReady(1);
	receive('MESSAGE_CREATE', { guild_id: own, content: 'hello' });
	await clock.advance(100);
	expect(client.types).toEqual(['READY', 'GUILD_CREATE', 'MESSAGE_CREATE']);
	expect(client.frames[0]?.d).toMatchObject({ shard: [1, 4], resume_gateway_url: 'ws://127.0.0.1:1/worker/1' });
	expect(shard.stats()).toMatchObject({ shardId: 1, session: 1, worker: 'connected', guildCount: 1, workerIdentifies: 1 });
	expect(connections).toEqual([
		[1, 'identifying'],
		[1, 'ready'],
	]);
});

it('reports when an IDENTIFY would be answered at once', async () => {
	const { shard, session, start } = await setup();
	session.prepared = false;
	expect(await shard.prepare(null)).toBe(false);
	session.prepared = true;
	let answerable = false;
	void shard.prepare({ intents, largeThreshold: null, presence: null }).then((value) => {
		answerable = value;
	});
	await new Promise(setImmediate);
	expect(answerable).toBe(false);
	await start();
	expect(answerable).toBe(true);
});

it('reports each connection of its worker once, and its end once', async () => {
	const { sessions, shard, start, connect, connections } = await setup();
	await start();
	const { client, made } = await connect(1);
	sessions.detach(made, client);
	shard.sessionDetached(made);
	sessions.attach(made, client);
	shard.sessionResumed(made);
	sessions.end(made, 'client closed');
	expect(connections).toEqual([
		[1, 'identifying'],
		[1, 'ready'],
		[1, 'gone'],
		[1, 'resumed'],
		[1, 'gone'],
	]);
});

it('does not hold a worker that was ready before this process, also where it has no session any more, and holds the next one', async () => {
	const { clock, shard, receive, start, connect } = await setup({ workerIsReady: true });
	await start();
	const { client } = await connect(1);
	receive('MESSAGE_CREATE', { guild_id: own });
	await clock.advance(100);
	expect(client.types).toEqual(['READY', 'GUILD_CREATE', 'MESSAGE_CREATE']);
	shard.admitOnly(2, { crashed: false });
	const next = await connect(2);
	receive('MESSAGE_CREATE', { guild_id: own });
	await clock.advance(100);
	expect(next.client.types).toEqual(['READY', 'GUILD_CREATE']);
	shard.workerReady(2);
	expect(next.client.types).toEqual(['READY', 'GUILD_CREATE', 'MESSAGE_CREATE']);
});

it('closes the session of a process that was replaced while its IDENTIFY was pending', async () => {
	const { shard, start, sessions, connect } = await setup();
	await start();
	const made = sessions.create(identify) as WorkerSession;
	shard.admitOnly(2, { crashed: false });
	shard.sessionStarted(made, 1);
	expect(sessions.size).toBe(0);
	await expect(connect(1)).rejects.toThrow(/#2 is current/);
	expect((await connect(2)).client.types).toEqual(['READY', 'GUILD_CREATE']);
});

it('hands the stream to a successor, and back when the successor is dropped', async () => {
	const { clock, shard, receive, start, connect } = await setup();
	await start();
	const old = await connect(1);
	shard.workerReady(1);
	for (const [successor, taken] of [
		[2, false],
		[3, true],
	] as const) {
		shard.handover.begin(successor);
		const connecting = connect(successor);
		const waiting = shard.handover.waiting(successor);
		await clock.advance(50);
		await waiting;
		const paused = shard.handover.pause(successor);
		await clock.advance(100);
		expect(await paused).toBe(true);
		shard.handover.answer(successor);
		const { client } = await connecting;
		receive('MESSAGE_CREATE', { guild_id: own, n: successor });
		await clock.advance(100);
		expect(client.types).toEqual(['READY', 'GUILD_CREATE']);
		if (taken) await shard.handover.commit(successor);
		else shard.handover.abort(successor);
		await clock.advance(200);
		expect((taken ? client : old.client).types.at(-1)).toBe('MESSAGE_CREATE');
	}
	expect(old.client.types.filter((type) => type === 'MESSAGE_CREATE')).toHaveLength(1);
	expect(shard.handover.present).toBe(3);
});

it('forwards requests only for its guilds, and removes the bot from voice when its worker exits', async () => {
	const { sessions, shard, receive, requests, start, connect } = await setup();
	await start();
	const { made } = await connect(1);
	const join = (guildId: string): ClientRequest => ({ op: 4, d: { guild_id: guildId, channel_id: '5' } });
	shard.request(made, join(own));
	shard.request(made, join(foreign));
	expect(requests).toEqual([join(own)]);
	receive('VOICE_STATE_UPDATE', { guild_id: own, channel_id: '5', user_id: '9', session_id: 'v' });
	sessions.end(made, 'expired');
	expect(requests.at(-1)).toMatchObject({ op: 4, d: { guild_id: own, channel_id: null } });
});

it('sends its worker nothing while what is saved is not answered for too long, and continues with the answer', async () => {
	const backend = new MemorySnapshotStore();
	const append = backend.append.bind(backend);
	const redis = { answers: Promise.resolve() };
	backend.append = async (...write) => {
		await redis.answers;
		await append(...write);
	};
	const { clock, receive, start, connect } = await setup({ backend });
	await start();
	const { client } = await connect(1);
	const say = (id: string) => receive('MESSAGE_CREATE', { id, guild_id: own, channel_id: '1', content: id });
	const seen = () => client.frames.filter(({ t }) => t === 'MESSAGE_CREATE').map(({ d }) => d.id);
	await clock.advance(60_000);
	const answer = deferred();
	redis.answers = answer.promise;
	say('first');
	await clock.advance(4500);
	say('within');
	expect(seen()).toEqual(['first', 'within']);
	await clock.advance(500);
	say('later');
	await clock.advance(60_000 - 5000);
	expect(seen()).toEqual(['first', 'within']);
	answer.resolve();
	await clock.advance(0);
	expect(seen()).toEqual(['first', 'within', 'later']);
});

it('is resumed with its worker by the next process from the saved position', async () => {
	const first = await setup();
	await first.start();
	const { made } = await first.connect(1);
	first.shard.workerReady(1);
	first.receive('GUILD_UPDATE', { id: own, name: 'renamed' });
	await first.clock.advance(500);
	first.shard.close();
	await first.shard.stop({ keepSession: true });
	const second = await setup({ content: first.content, fence: '2' });
	const saved = await second.shard.readSaved();
	if (!saved) throw new Error('nothing was saved');
	expect([saved.through, saved.snapshot.state.guild(own)?.name]).toEqual([first.session.newest, 'renamed']);
	const { session, cursor, seq } = saved.snapshot;
	await second.shard.restore(saved, { withWorkers: true, session, base: cursor - seq });
	expect([...second.sessions.values()].map(({ id }) => id)).toEqual([made.id]);
	expect([second.shard.newest, second.shard.stats().worker]).toEqual([saved.cursor, 'away']);
});

it.each([false, true])(
	'reads what was saved after it was looked at, also where the snapshot is another by then (%s)',
	async (isAnother) => {
		const first = await setup();
		await first.start();
		await first.connect(1);
		first.shard.workerReady(1);
		const rename = async (name: string) => {
			first.receive('GUILD_UPDATE', { id: own, name });
			await first.clock.advance(500);
		};
		await rename('first');
		const second = await setup({ content: first.content });
		const peeked = await second.shard.peekSaved();
		expect(peeked?.state.guild(own)?.name).toBe('first');
		if (isAnother) first.session.terms = { ...first.session.terms };
		await rename('second');
		first.shard.close();
		await first.shard.stop({ keepSession: true });
		const saved = await second.shard.readSaved();
		if (!saved) throw new Error('nothing was saved');
		expect([saved.through, saved.snapshot.state.guild(own)?.name]).toEqual([first.session.newest, 'second']);
		expect(saved.snapshot.state === peeked?.state).toBe(!isAnother);
	},
);

it('begins with a new snapshot where the journal has no head, as a crash of the machine leaves it', async () => {
	const first = await setup();
	await first.start();
	await first.clock.advance(500);
	first.shard.close();
	await first.shard.stop({ keepSession: true });
	const name = [...first.content.files.keys()].find((each) => each.endsWith('.journal')) as string;
	first.content.files.set(name, new Uint8Array());
	const second = await setup({ content: first.content, fence: '2' });
	const saved = await second.shard.readSaved();
	expect([saved !== undefined, saved?.bytes]).toEqual([true, undefined]);
});

it('does not take what it looked at too late', async () => {
	const first = await setup();
	await first.start();
	await first.clock.advance(500);
	first.shard.close();
	await first.shard.stop({ keepSession: true });
	const second = await setup({ content: first.content, fence: '2' });
	const peeking = second.shard.peekSaved();
	const [saved, peeked] = await Promise.all([second.shard.readSaved(), peeking]);
	expect([saved?.through, peeked]).toEqual([first.session.newest, undefined]);
});

it('removes its snapshot when its session ends', async () => {
	const { shard, content, start, connect } = await setup();
	await start();
	await connect(1);
	expect(content.files.size).toBeGreaterThan(0);
	shard.close();
	await shard.stop({ keepSession: false });
	expect(content.files.size).toBe(0);
});
