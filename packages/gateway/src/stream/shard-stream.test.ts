import { type Delivery, intentBits } from '@shardctl/core';
import type { SessionCarrier } from '@shardctl/gateway-protocol';
import { fakeClock } from '@shardctl/test-support';
import { expect, it, onTestFinished, vi } from 'vitest';
import { WorkerSession } from '../downstream/worker-session.js';
import { ShardStream } from './shard-stream.js';
import type { AdmitOptions } from './stream-workers.js';

const guildId = '100';
const intents = intentBits.GUILDS | intentBits.GUILD_MESSAGES | intentBits.GUILD_MEMBERS | intentBits.GUILD_MESSAGE_TYPING;

interface Frame {
	s: number;
	t: string;
	d: Record<string, unknown>;
}

/** A worker as the stream sees it: it reads everything, and answers heartbeat requests unless configured not to. */
class Worker implements SessionCarrier {
	readonly id = 1;
	readonly frames: Frame[] = [];
	readonly session: WorkerSession;
	readonly #stream: ShardStream;
	incarnation = 1;
	reads = true;

	constructor(stream: ShardStream, { id = 'a', wants = intents, browser = '' } = {}) {
		this.#stream = stream;
		const identify = { token: 't', properties: { browser }, intents: wants };
		this.session = new WorkerSession({ id, shard: [0, 1], identify, clock: fakeClock() }, stream);
		this.session.attach(this);
	}

	admit(options: Partial<AdmitOptions> = {}): void {
		this.#stream.workers.admit(this.session, { incarnation: this.incarnation, ...options });
	}

	sendFrame(frame: string): void {
		this.frames.push(JSON.parse(frame) as Frame);
	}

	requestHeartbeat(): void {
		queueMicrotask(() => this.reads && this.beat());
	}

	beat(): void {
		this.#stream.heartbeat(this.session, this.frames.at(-1)?.s ?? null);
	}

	close(): void {}
	sessionLost(): void {}

	get numbers(): unknown[] {
		return this.frames.filter(({ t }) => t === 'MESSAGE_CREATE').map(({ d }) => d.n);
	}

	get types(): string[] {
		return this.frames.map(({ t }) => t);
	}
}

function setup({ delivery = 'at-most-once', events = 1000 }: { delivery?: Delivery; events?: number } = {}) {
	const clock = fakeClock();
	const notices: string[] = [];
	const ended: string[] = [];
	const poisoned: string[] = [];
	const stream: ShardStream = new ShardStream({
		delivery,
		buffer: { events, bytes: 2 ** 20, ageMs: 60_000 },
		clock,
		notice: (kind) => notices.push(kind),
		endSession: (session) => {
			ended.push(session.id);
			stream.workers.ended(session);
		},
		readyOverrides: ({ id }) => ({ session_id: id }),
		onApplied: () => {},
		savePoison: (entry) => poisoned.push(entry.event.type),
	});
	onTestFinished(() => stream.stop());
	let offset = 0;
	const feed = {
		ready: (name = 'guild') => {
			stream.beginSession({ user: { id: '9' }, guilds: [{ id: guildId, unavailable: true }] }, ++offset, intents);
			stream.receive(
				{ t: 'GUILD_CREATE', d: { id: guildId, name, member_count: 5, channels: [], members: [], roles: [] } },
				++offset,
			);
		},
		/** Also sent by the previous session. */
		again: (t: string, d: Record<string, unknown>) =>
			stream.receive({ t, d: { guild_id: guildId, ...d }, repeated: true }, ++offset),
		event: (t: string, d: Record<string, unknown> = {}) => stream.receive({ t, d: { guild_id: guildId, ...d } }, ++offset),
		messages: (from: number, to: number) => {
			for (let n = from; n <= to; n++) feed.event('MESSAGE_CREATE', { n });
		},
	};
	return { clock, stream, feed, notices, ended, poisoned };
}

const settle = (clock: { advance(ms: number): Promise<void> }) => clock.advance(200);

/** A stream whose Discord session has a complete state. */
async function aSettledStream(options?: Parameters<typeof setup>[0]) {
	const made = setup(options);
	made.feed.ready();
	await settle(made.clock);
	return made;
}

/** The saved facts of an earlier process's worker that had confirmed everything through a position. */
const restored = (handledThrough: number) => ({ incarnation: 1, unconfirmedAt: null, resumableFrom: 0, handledThrough });

it('sends a new worker READY and its guilds, then every event in order, with increasing numbers', async () => {
	const { clock, stream, feed } = await aSettledStream();
	const worker = new Worker(stream);
	worker.admit();
	feed.messages(1, 3);
	await settle(clock);
	expect(worker.types).toEqual(['READY', 'GUILD_CREATE', 'MESSAGE_CREATE', 'MESSAGE_CREATE', 'MESSAGE_CREATE']);
	expect(worker.frames[0]?.d).toMatchObject({ session_id: 'a', guilds: [{ id: guildId, unavailable: true }] });
	const numbers = worker.frames.map(({ s }) => s);
	expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
	expect(stream.stats.bufferedEvents).toBe(0);
});

it('sends the guilds after the worker has confirmed READY', async () => {
	const { clock, stream } = await aSettledStream();
	const worker = new Worker(stream);
	worker.reads = false;
	worker.admit();
	await settle(clock);
	expect(worker.types).toEqual(['READY']);
	worker.reads = true;
	worker.beat();
	expect(worker.types).toEqual(['READY', 'GUILD_CREATE']);
});

it('sends nothing to a new worker before the position of its READY is saved', async () => {
	const { clock, stream, feed } = await aSettledStream();
	const worker = new Worker(stream);
	const places: unknown[] = [];
	let saved = () => {};
	worker.admit({
		save: () => {
			places.push(stream.workers.checkpoint?.unconfirmedAt);
			return new Promise((resolve) => {
				saved = resolve;
			});
		},
	});
	feed.messages(1, 1);
	await settle(clock);
	expect([places, worker.types]).toEqual([[stream.cursor], []]);
	saved();
	await settle(clock);
	expect(worker.types).toEqual(['READY', 'GUILD_CREATE', 'MESSAGE_CREATE']);
});

it('keeps events while there is no worker, and sends the next one the state from before them', async () => {
	const { clock, stream, feed } = await aSettledStream();
	feed.event('GUILD_MEMBER_ADD', { user: { id: '7' } });
	feed.messages(1, 2);
	const worker = new Worker(stream);
	worker.admit();
	await settle(clock);
	// discord.js counts a member for each GUILD_MEMBER_ADD, so the count must not have it already.
	expect(worker.frames[1]?.d).toMatchObject({ member_count: 5 });
	expect(worker.types.slice(2)).toEqual(['GUILD_MEMBER_ADD', 'MESSAGE_CREATE', 'MESSAGE_CREATE']);
	const next = new Worker(stream, { id: 'b' });
	next.admit();
	await settle(clock);
	expect(next.frames[1]?.d).toMatchObject({ member_count: 6 });
});

it('sends no more than a window to a worker that does not read, and continues when it does', async () => {
	const { clock, stream, feed } = await aSettledStream({ events: 10_000 });
	const worker = new Worker(stream);
	worker.admit();
	await settle(clock);
	worker.reads = false;
	feed.messages(1, 5000);
	await settle(clock);
	expect(worker.numbers).toHaveLength(2048);
	worker.reads = true;
	worker.beat();
	await settle(clock);
	expect(worker.numbers).toEqual(Array.from({ length: 5000 }, (_, index) => index + 1));
});

it('makes a worker that does not read start again when the buffer is full, and counts its missed events', async () => {
	const { clock, stream, feed, notices, ended } = await aSettledStream({ events: 100 });
	const worker = new Worker(stream);
	worker.admit();
	await settle(clock);
	worker.reads = false;
	feed.event('GUILD_MEMBER_ADD', { user: { id: '7' } });
	feed.messages(1, 300);
	expect(ended).toEqual(['a']);
	expect(notices).toContain('worker:slow');
	const next = new Worker(stream, { id: 'b' });
	next.admit();
	await settle(clock);
	expect(next.frames[1]?.d).toMatchObject({ member_count: 6 });
	expect(next.numbers.at(-1)).toBe(300);
	expect(stream.stats.lost + stream.stats.overflowed + next.numbers.length).toBe(301);
});

it('replays after a resume what the client does not have, and nothing else', async () => {
	const { clock, stream, feed } = await aSettledStream();
	const worker = new Worker(stream);
	worker.admit();
	await settle(clock);
	worker.reads = false;
	feed.messages(1, 6);
	const third = worker.frames.find(({ d }) => d.n === 3)?.s as number;
	worker.session.detach(worker);
	feed.messages(7, 8);
	expect(stream.canResume(worker.session, third)).toBe('yes');
	expect(stream.canResume(worker.session, third + 1000)).toBe('ahead');
	worker.frames.length = 0;
	worker.reads = true;
	worker.session.attach(worker);
	expect(stream.resume(worker.session, third)).toBe(3);
	stream.resumed();
	await settle(clock);
	expect(worker.numbers).toEqual([4, 5, 6, 7, 8]);
	expect(stream.canResume(worker.session, 1)).toBe('too old');
});

it.each([
	{ delivery: 'at-most-once' as const, handled: [6], lost: 3, repeated: 0 },
	{ delivery: 'at-least-once' as const, handled: [3, 4, 5, 6], lost: 0, repeated: 3 },
])('$delivery: counts the events in flight when a worker died', async ({ delivery, handled, lost, repeated }) => {
	const { clock, stream, feed } = await aSettledStream({ delivery });
	const worker = new Worker(stream);
	worker.admit();
	feed.messages(1, 2);
	await settle(clock);
	worker.reads = false;
	feed.messages(3, 5);
	const next = new Worker(stream, { id: 'b' });
	next.admit();
	feed.messages(6, 6);
	await settle(clock);
	expect(next.numbers).toEqual(handled);
	expect(stream.stats).toMatchObject({ lost, repeated });
});

/** Lets one worker after another die of message 6. */
async function dieOfTheSixth({ crash }: { crash: boolean }) {
	const { clock, stream, feed, poisoned } = await aSettledStream({ delivery: 'at-least-once' });
	feed.messages(1, 40);
	const seen: unknown[][] = [];
	for (let life = 0; life < 9 && poisoned.length === 0; life++) {
		const worker = new Worker(stream, { id: String(life) });
		// Whatever arrived in one frame with the message is lost with it.
		const { sendFrame } = worker;
		worker.sendFrame = (frame) => {
			if (worker.reads) sendFrame.call(worker, frame);
			worker.reads &&= worker.numbers.at(-1) !== 6;
		};
		if (crash) stream.noteCrash();
		worker.admit();
		await settle(clock);
		seen.push(worker.numbers);
	}
	return { seen, poisoned, counters: stream.stats };
}

it('sets an event aside that crashes its worker repeatedly, and delivers the events around it', async () => {
	const { seen, poisoned, counters } = await dieOfTheSixth({ crash: true });
	expect(poisoned).toEqual(['MESSAGE_CREATE']);
	expect(counters).toMatchObject({ poisoned: 1, lost: 0 });
	// Each crash narrows it down; after three crashes on it alone, the others are handled.
	expect(seen.slice(0, -1)).toEqual([[1, 2, 3, 4, 5, 6], [1, 2, 3, 4, 5, 6], [4, 5, 6], [5, 6], [6], [6], [6]]);
	expect(seen.at(-1)).toEqual(Array.from({ length: 34 }, (_, index) => index + 7));
});

it('suspects no event when a worker is killed from outside', async () => {
	const { seen, poisoned } = await dieOfTheSixth({ crash: false });
	expect(poisoned).toEqual([]);
	expect(seen.every((numbers) => numbers.at(-1) === 6)).toBe(true);
});

it('does not deliver interactions and typing that are too old, counts them, and reports them once', async () => {
	const { clock, stream, feed, notices } = await aSettledStream();
	feed.event('INTERACTION_CREATE');
	feed.event('TYPING_START');
	feed.messages(1, 1);
	await clock.advance(9000);
	feed.event('INTERACTION_CREATE', { fresh: true });
	const worker = new Worker(stream);
	worker.admit();
	await settle(clock);
	expect(worker.types.slice(2)).toEqual(['MESSAGE_CREATE', 'INTERACTION_CREATE']);
	expect(stream.stats.expired).toBe(2);
	await clock.advance(120_000);
	expect(notices).toEqual(['events:expired']);
});

it('sends a successor READY while the worker is paused, and the stream only after that', async () => {
	const { clock, stream, feed } = await aSettledStream();
	const worker = new Worker(stream);
	worker.admit();
	feed.messages(1, 2);
	await settle(clock);
	stream.workers.pause();
	await stream.workers.drained();
	const successor = new Worker(stream, { id: 'b' });
	stream.workers.presentTo(successor.session, 2);
	feed.messages(3, 4);
	await settle(clock);
	expect([worker.numbers, successor.types]).toEqual([
		[1, 2],
		['READY', 'GUILD_CREATE'],
	]);
	stream.workers.promote();
	await settle(clock);
	expect([worker.numbers, successor.numbers]).toEqual([
		[1, 2],
		[3, 4],
	]);
	expect(stream.stats).toMatchObject({ lost: 0, repeated: 0 });
});

it('continues with the old worker when its successor is dropped', async () => {
	const { clock, stream, feed, ended } = await aSettledStream();
	const worker = new Worker(stream);
	worker.admit();
	stream.workers.pause();
	const successor = new Worker(stream, { id: 'b' });
	stream.workers.presentTo(successor.session, 2);
	feed.messages(1, 3);
	await settle(clock);
	stream.workers.dropSuccessor();
	await settle(clock);
	expect([worker.numbers, ended]).toEqual([[1, 2, 3], ['b']]);
});

it('sends a worker the differences when Discord started a new session', async () => {
	const { clock, stream, feed } = await aSettledStream();
	const worker = new Worker(stream);
	worker.admit();
	feed.messages(1, 1);
	await settle(clock);
	feed.ready('renamed');
	feed.messages(2, 2);
	await settle(clock);
	expect(worker.numbers).toEqual([1, 2]);
	const updates = worker.frames.slice(3, -1);
	expect(updates.length).toBeGreaterThan(0);
	expect(JSON.stringify(updates)).toContain('renamed');
	const next = new Worker(stream, { id: 'b' });
	next.admit();
	await settle(clock);
	expect(next.frames[1]?.d).toMatchObject({ name: 'renamed' });
});

it('applies what the previous session has sent to the new state, and sends the worker none of it twice', async () => {
	const { clock, stream, feed } = await aSettledStream();
	const worker = new Worker(stream);
	worker.admit();
	feed.event('GUILD_UPDATE', { id: guildId, name: 'renamed' });
	feed.messages(1, 1);
	await settle(clock);
	feed.ready();
	feed.again('GUILD_UPDATE', { id: guildId, name: 'renamed' });
	feed.again('MESSAGE_CREATE', { n: 1 });
	feed.messages(2, 2);
	await settle(clock);
	expect(worker.types).toEqual(['READY', 'GUILD_CREATE', 'GUILD_UPDATE', 'MESSAGE_CREATE', 'MESSAGE_CREATE']);
	expect(worker.numbers).toEqual([1, 2]);
	const next = new Worker(stream, { id: 'b' });
	next.admit();
	await settle(clock);
	expect(next.frames[1]?.d).toMatchObject({ name: 'renamed' });
});

it('sends each event once to a worker that resumes after a restart of the process', async () => {
	const { stream } = await aSettledStream();
	const state = stream.state as NonNullable<typeof stream.state>;
	const after = setup();
	after.stream.restore(state, 2, '9');
	const worker = new Worker(after.stream);
	worker.session.detach(worker);
	after.stream.workers.restore(worker.session, restored(2), { hold: false });
	// The client has everything through 5; Discord replays from 3 on, some of it after the resume.
	const send = (from: number, to: number) => {
		for (let at = from; at <= to; at++) after.stream.receive({ t: 'MESSAGE_CREATE', d: { guild_id: guildId, n: at } }, at);
	};
	send(3, 4);
	expect(after.stream.canResume(worker.session, 5)).toBe('yes');
	worker.session.attach(worker);
	after.stream.resume(worker.session, 5);
	after.stream.resumed();
	// The client has confirmed that, though Discord has not replayed all of it.
	expect([after.stream.cursor, after.stream.workers.checkpoint?.handledThrough]).toEqual([4, 5]);
	send(3, 8);
	await settle(after.clock);
	expect(worker.numbers).toEqual([6, 7, 8]);
	expect(after.stream.stats.bufferedEvents).toBe(0);
});

it('holds the events of a new worker until all of its shards are ready, or the limit expires', async () => {
	const { clock, stream, feed } = await aSettledStream();
	const worker = new Worker(stream);
	worker.incarnation = 4;
	worker.admit({ hold: true });
	feed.messages(1, 2);
	await settle(clock);
	expect(worker.types).toEqual(['READY', 'GUILD_CREATE']);
	stream.workers.releaseHold(3);
	expect(worker.numbers).toEqual([]);
	stream.workers.releaseHold(4);
	await settle(clock);
	expect(worker.numbers).toEqual([1, 2]);
	const again = new Worker(stream, { id: 'b' });
	again.incarnation = 4;
	again.admit({ hold: true });
	feed.messages(3, 3);
	await settle(clock);
	expect(again.numbers).toEqual([3]);
	const silent = new Worker(stream, { id: 'c' });
	silent.incarnation = 5;
	silent.admit({ hold: true });
	feed.messages(4, 4);
	await settle(clock);
	expect(silent.numbers).toEqual([]);
	await clock.advance(10_000);
	expect(silent.numbers).toEqual([4]);
});

it('does not repeat what the worker of an earlier process is known to have when it identifies again', async () => {
	const { stream } = await aSettledStream();
	const after = setup();
	after.stream.restore(stream.state as NonNullable<typeof stream.state>, 2, '9');
	const before = new Worker(after.stream);
	before.session.detach(before);
	after.stream.workers.restore(before.session, restored(5), { hold: false });
	let ready = false;
	void after.stream.whenReady().then(() => {
		ready = true;
	});
	const send = (from: number, to: number) => {
		for (let at = from; at <= to; at++) after.stream.receive({ t: 'MESSAGE_CREATE', d: { guild_id: guildId, n: at } }, at);
	};
	send(3, 4);
	await settle(after.clock);
	expect(ready).toBe(false);
	send(5, 7);
	await settle(after.clock);
	expect(ready).toBe(true);
	const worker = new Worker(after.stream, { id: 'b' });
	worker.admit();
	await settle(after.clock);
	expect(worker.numbers).toEqual([6, 7]);
	expect(after.stream.stats.lost).toBe(0);
});

it.each([
	['has not resumed', false],
	['has resumed further on than this process knows', true],
])("starts again with an earlier process's worker that %s when the session is lost", async (_, resumes) => {
	const { stream } = await aSettledStream();
	const after = setup();
	after.stream.restore(stream.state as NonNullable<typeof stream.state>, 2, '9');
	const before = new Worker(after.stream);
	after.stream.workers.restore(before.session, restored(2), { hold: false });
	if (resumes) after.stream.resume(before.session, 4);
	after.stream.beginSession({ user: { id: '9' }, guilds: [] }, 3, intents);
	expect(after.ended).toEqual(['a']);
	expect(after.stream.canResume(before.session, 4)).toBe('too old');
	after.stream.receive({ t: 'MESSAGE_CREATE', d: { guild_id: guildId, n: 1 } }, 4);
	await settle(after.clock);
	const worker = new Worker(after.stream, { id: 'b' });
	worker.admit();
	await settle(after.clock);
	expect(worker.numbers).toEqual([1]);
});

it('reports the size and age of the buffer, and the longest wait of events until lately', async () => {
	const { clock, stream, feed } = await aSettledStream();
	feed.messages(1, 10);
	await clock.advance(3000);
	expect(stream.stats).toMatchObject({ bufferedEvents: 10, bufferAgeMs: 3000, lagMs: 3000 });
	expect(stream.stats.eventsPerSecond).toBeGreaterThan(0);
	new Worker(stream).admit();
	await settle(clock);
	expect(stream.stats).toMatchObject({ bufferedEvents: 0, bufferedBytes: 0, bufferAgeMs: 0, lagMs: 3000 });
	await clock.advance(11_000);
	expect(stream.stats).toMatchObject({ lagMs: 0, eventsPerSecond: 0 });
});

it.each(['at-most-once', 'at-least-once'] as const)(
	'loses nothing of a worker that reconnects before it is known to have its guilds, and reports what it has (%s)',
	async (delivery) => {
		const { clock, stream, feed, ended } = await aSettledStream({ delivery });
		const worker = new Worker(stream);
		worker.reads = false;
		worker.admit();
		await settle(clock);
		// It has READY, and receives the guilds.
		worker.beat();
		const had = worker.frames.at(-1)?.s as number;
		feed.messages(1, 4);
		expect(worker.numbers).toEqual([1, 2, 3, 4]);
		expect(stream.canResume(worker.session, had)).toBe('too old');
		stream.workers.ended(worker.session);
		const again = new Worker(stream, { id: 'b' });
		again.admit();
		await settle(clock);
		expect(again.numbers).toEqual([1, 2, 3, 4]);
		expect([stream.stats.lost, stream.stats.repeated, ended]).toEqual([0, 0, []]);
	},
);

it('drops expendable events from a full buffer before it drops messages', async () => {
	const { clock, stream, feed, notices } = await aSettledStream({ events: 100 });
	for (let n = 1; n <= 60; n++) {
		feed.event('MESSAGE_CREATE', { n });
		feed.event('PRESENCE_UPDATE', { user: { id: String(n % 3) }, status: n % 2 ? 'idle' : 'dnd' });
		feed.event('TYPING_START', { user_id: '7' });
	}
	expect(stream.stats).toMatchObject({ overflowed: 0 });
	expect(stream.stats.coalesced).toBeGreaterThan(30);
	expect(stream.stats.expired).toBeGreaterThan(30);
	const worker = new Worker(stream);
	worker.admit();
	await settle(clock);
	expect(worker.numbers).toEqual(Array.from({ length: 60 }, (_, n) => n + 1));
	const positions = worker.frames.map(({ s }) => s);
	expect(positions).toEqual([...positions].sort((a, b) => a - b));
	expect(notices).not.toContain('events:overflowed');
	// When only messages are left, it drops the oldest.
	stream.workers.pause();
	feed.messages(61, 400);
	expect(stream.stats.overflowed).toBeGreaterThan(0);
	expect(stream.stats.bufferedEvents).toBe(100);
});

it('reports a full buffer once, and again after a minute below the limit', async () => {
	const { clock, stream, feed, notices } = await aSettledStream({ events: 10 });
	const reported = () => notices.filter((kind) => kind === 'events:overflowed').length;
	feed.messages(1, 20);
	feed.messages(21, 30);
	expect(reported()).toBe(1);
	new Worker(stream).admit();
	await clock.advance(61_000);
	stream.workers.pause();
	feed.messages(31, 50);
	expect(reported()).toBe(2);
});

it.each([
	['@discordjs/ws 1.2.3', 20, 60],
	['discord.py', 1, 3],
	['Eris', 1, 3],
	['Oceanic', 1, 3],
])('requests heartbeats from a %s client as often as its library allows', async (browser, least, most) => {
	const { clock, stream, feed } = await aSettledStream();
	const worker = new Worker(stream, { browser });
	worker.admit();
	await settle(clock);
	const asked = vi.spyOn(worker, 'requestHeartbeat');
	for (let n = 1; n <= 100; n++) {
		feed.messages(n, n);
		await clock.advance(20);
	}
	expect(asked.mock.calls.length).toBeGreaterThanOrEqual(least);
	expect(asked.mock.calls.length).toBeLessThanOrEqual(most);
	// A deploy does not wait for the next turn.
	feed.messages(101, 101);
	stream.workers.pause();
	await stream.workers.drained();
	expect(stream.cursor).toBe(stream.newest);
});

/** A worker that has confirmed everything and is now silent, later events that were not for it, and three events in flight. */
async function behindTheCursor(passBy: (feed: ReturnType<typeof setup>['feed']) => void) {
	const made = await aSettledStream();
	const { clock, stream, feed } = made;
	const worker = new Worker(stream);
	worker.admit();
	feed.messages(1, 2);
	await settle(clock);
	const had = worker.frames.at(-1)?.s as number;
	passBy(feed);
	await settle(clock);
	expect(stream.cursor).toBeGreaterThan(had);
	expect(worker.frames.at(-1)?.s).toBe(had);
	worker.reads = false;
	feed.messages(3, 5);
	return { ...made, worker, had };
}

it.each([
	['events that its intents leave out', (feed: ReturnType<typeof setup>['feed']) => feed.event('PRESENCE_UPDATE', { user: {} })],
	['a new session of Discord in which nothing is different', (feed: ReturnType<typeof setup>['feed']) => feed.ready()],
])('resumes a worker that is behind the cursor by %s, with all events in flight', async (_, passBy) => {
	const { clock, stream, worker, had, notices } = await behindTheCursor(passBy);
	expect(stream.canResume(worker.session, had)).toBe('yes');
	expect(stream.canResume(worker.session, had - 1)).toBe('too old');
	worker.frames.length = 0;
	expect(stream.resume(worker.session, had)).toBeGreaterThanOrEqual(3);
	worker.reads = true;
	stream.resumed();
	await settle(clock);
	expect([worker.numbers, notices]).toEqual([[3, 4, 5], []]);
});
