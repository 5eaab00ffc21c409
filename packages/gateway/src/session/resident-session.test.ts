import { deferred, type GatewayNotice, ShardctlError } from '@shardctl/core';
import { expect, it } from 'vitest';
import type { SavedState } from '../shard/saved-shard.js';
import type { RenewalOutcome } from '../upstream/upstream-sessions.js';
import type { SavedSession, SessionTerms, UpstreamEvents } from '../upstream/upstream-shard.js';
import { ResidentSession, type ResidentSessionOptions, type Upstream } from './resident-session.js';

const terms = (intents: number): SessionTerms => ({ intents, largeThreshold: null, presence: null });
const saved: SavedSession = { sessionId: 'discord', resumeUrl: 'wss://discord.invalid', terms: terms(1) };
/** The id of a guild of a shard, with six shards. */
const guildOf = (shardId: number) => String(BigInt(shardId + 6) << 22n);

class FakeShard {
	readonly events: string[] = [];
	newest = 0;
	left: SavedState | undefined;
	readonly id: number;

	constructor(id: number) {
		this.id = id;
	}

	peekSaved: () => Promise<SavedState['snapshot'] | undefined> = async () => this.left?.snapshot;
	readSaved = async () => this.left;
	restore = async () => void this.events.push('restore');
	beginSession = (ready: object, position: number) => {
		this.newest = position;
		this.events.push(`READY ${(ready as { guilds: unknown[] }).guilds.length} @${position}`);
	};
	receive = ({ t }: { t: string }, position: number) => {
		this.newest = position;
		this.events.push(`${t} @${position}`);
	};
	stats = () => ({ shardId: this.id }) as never;
	continueOn = () => void this.events.push('continueOn');
	close = () => void this.events.push('close');
	stop = async ({ keepSession }: { keepSession: boolean }) => void this.events.push(`stop ${keepSession}`);
}

function setup({
	shardIds = [1, 3, 5],
	continued,
}: {
	shardIds?: number[];
	continued?: NonNullable<ResidentSessionOptions<FakeShard>['continued']>;
} = {}) {
	const notices: GatewayNotice[] = [];
	const refusals: number[] = [];
	const calls: unknown[][] = [];
	const note =
		(name: string) =>
		(...args: unknown[]) =>
			void calls.push([name, ...args]);
	let settle: (outcome: RenewalOutcome) => void = () => {};
	let events!: UpstreamEvents;
	const upstream = {
		terms: undefined as SessionTerms | undefined,
		refusedWith: undefined as number | undefined,
		saved: null as SavedSession | null,
		status: 'idle' as const,
		connection: { since: null, tries: 0, nextTryAt: null, lastClose: null, lastEventAt: null },
		missing: (intents: number) => (upstream.terms ? intents & ~upstream.terms.intents : 0),
		start: (started: SessionTerms) => {
			calls.push(['start', started.intents]);
			upstream.terms ??= started;
			upstream.refusedWith = undefined;
		},
		approach: note('approach'),
		resume: note('resume'),
		request: note('request'),
		showPresence: note('showPresence'),
		renew: () =>
			new Promise<RenewalOutcome>((resolve) => {
				settle = resolve;
			}),
		cancelRenewal: () => settle('cancelled'),
		stopReading: note('stopReading'),
		continueReading: note('continueReading'),
		stop: async () => note('stop')(),
		requests: { forget: note('forget'), flush: note('flush'), takeAll: () => [], waiting: 2, dropped: 1 },
	};
	const session = new ResidentSession<FakeShard>({
		id: 1,
		shardIds,
		layout: { generation: 0, totalShards: 6, sessions: 2 },
		...(continued ? { continued } : {}),
		createShard: (shardId) => new FakeShard(shardId),
		createUpstream: (listeners) => {
			events = listeners;
			return upstream satisfies Upstream;
		},
		onRefused: (code) => refusals.push(code),
		notice: (notice) => notices.push(notice),
	});
	const messages = (kind: GatewayNotice['kind']) => notices.filter((each) => each.kind === kind).map(({ message }) => message);
	const ready = (guilds: string[], seq: number) =>
		events.onDispatch({ t: 'READY', d: { user: { id: '9' }, guilds: guilds.map((id) => ({ id, unavailable: true })) } }, seq);
	const left = (through: number, sessionId = 'discord') =>
		({
			snapshot: { layout: { sessions: 2 }, session: { ...saved, sessionId }, cursor: 100, seq: 40, botId: '9' },
			cursor: through,
			through,
		}) as SavedState;
	return {
		session,
		events,
		upstream,
		refusals,
		calls,
		messages,
		ready,
		left,
		decide: (outcome: RenewalOutcome) => settle(outcome),
	};
}

it('divides READY and events among its shards, with increasing positions', () => {
	const { session, events, ready } = setup();
	ready([guildOf(1), guildOf(5), guildOf(5)], 1);
	events.onDispatch({ t: 'MESSAGE_CREATE', d: { guild_id: guildOf(3) } }, 2);
	events.onDispatch({ t: 'USER_UPDATE', d: {} }, 3);
	expect(session.shards.map((shard) => shard.events)).toEqual([
		['READY 1 @1', 'USER_UPDATE @3'],
		['READY 0 @1', 'MESSAGE_CREATE @2', 'USER_UPDATE @3'],
		['READY 2 @1', 'USER_UPDATE @3'],
	]);
	expect([session.newest, session.botId]).toEqual([3, '9']);
	// Discord counts a new session from 1 again; positions continue.
	ready([guildOf(1)], 1);
	expect([session.newest, session.shards[0]?.events.at(-1)]).toEqual([4, 'READY 1 @4']);
});

it('resumes from the lowest position that every shard has saved', async () => {
	const { session, upstream, calls, messages, left } = setup();
	for (const [index, shard] of session.shards.entries()) shard.left = left(120 + index);
	await session.restore({ withWorkers: true });
	expect(calls).toEqual([['resume', saved, 60]]);
	expect([session.newest, session.botId, messages('snapshot:restored')]).toEqual([120, '9', ['resuming after event 60']]);
	upstream.saved = saved;
	expect(session.checkpoint()).toEqual({ session: saved, of: 2, base: 60 });
});

it('approaches the session that another process has saved, and not once it is over', async () => {
	const { session, calls, left } = setup();
	await session.approach();
	expect(calls).toEqual([]);
	for (const shard of session.shards) shard.left = left(120);
	await session.approach();
	expect(calls).toEqual([['approach', saved]]);
	const late = session.approach();
	await session.stop({ keepSession: true });
	await late;
	expect(calls.slice(1)).toEqual([['stop']]);
});

it('does not end an approach that failed while something is still read', async () => {
	const { session, calls } = setup();
	const [first, second] = session.shards as [FakeShard, FakeShard];
	const reading = deferred<undefined>();
	first.peekSaved = () => Promise.reject(new ShardctlError('REDIS_UNAVAILABLE', 'gone'));
	second.peekSaved = () => reading.promise;
	let isOver = false;
	const approach = session.approach().finally(() => {
		isOver = true;
	});
	approach.catch(() => {});
	await new Promise((resolve) => setImmediate(resolve));
	expect(isOver).toBe(false);
	reading.resolve(undefined);
	await expect(approach).rejects.toMatchObject({ code: 'REDIS_UNAVAILABLE' });
	expect(calls).toEqual([]);
});

it('sends each shard only what it does not have when a session resumes that has replaced others', async () => {
	const successor = { ...saved, sessionId: 'successor' };
	const through: Record<number, number> = { 1: 210, 3: 215, 5: 220 };
	const { session, events, calls, left } = setup({
		continued: (id) => ({ session: successor, base: 200, through: through[id] as number, skip: id === 3 ? [218] : [] }),
	});
	for (const shard of session.shards) shard.left = left(120);
	await session.restore({ withWorkers: true });
	expect(calls).toEqual([['resume', successor, 10]]);
	const replayed = [
		[5, 11],
		[3, 12],
		[1, 13],
		[5, 15],
		[3, 16],
		[3, 18],
		[5, 20],
		[5, 21],
		[3, 22],
	] as const;
	for (const [shardId, seq] of replayed) events.onDispatch({ t: 'MESSAGE_CREATE', d: { guild_id: guildOf(shardId) } }, seq);
	expect(session.shards.map((shard) => shard.events)).toEqual([
		['restore', 'MESSAGE_CREATE @213'],
		['restore', 'MESSAGE_CREATE @216', 'MESSAGE_CREATE @222'],
		['restore', 'MESSAGE_CREATE @221'],
	]);
});

it('starts a new session when its shards were not saved together, and reports why', async () => {
	const one = setup();
	for (const shard of one.session.shards.slice(1)) shard.left = one.left(120);
	await one.session.restore({ withWorkers: true });
	const two = setup();
	for (const [index, shard] of two.session.shards.entries()) shard.left = two.left(120, String(index));
	await two.session.restore({ withWorkers: true });
	for (const { calls, messages } of [one, two]) {
		expect([calls, messages('snapshot:unusable')]).toEqual([[], [expect.stringMatching(/; starting a new session$/)]]);
	}
	const none = setup();
	await none.session.restore({ withWorkers: true });
	expect([none.calls, none.messages('snapshot:unusable')]).toEqual([[], []]);
});

it('starts no session where the store does not answer, and resumes once it does', async () => {
	const { session, calls, messages, left } = setup();
	const [first] = session.shards;
	for (const shard of session.shards) shard.left = left(120);
	if (first)
		first.readSaved = async () => {
			first.readSaved = async () => first.left;
			throw new ShardctlError('CALL_TIMEOUT', 'Redis did not answer');
		};
	await expect(session.restore({ withWorkers: false })).rejects.toMatchObject({ code: 'CALL_TIMEOUT' });
	expect([calls, messages('snapshot:unusable')]).toEqual([[], []]);
	await session.restore({ withWorkers: false });
	expect(calls).toEqual([['resume', saved, 60]]);
});

it('starts once: by an IDENTIFY, or with intents that Discord is known to accept', async () => {
	const { session, calls } = setup();
	expect(session.prepare(null)).toBe(false);
	expect(session.prepare(terms(3))).toBe(true);
	expect([session.prepare(null), session.prepare(terms(3))]).toEqual([true, true]);
	expect(calls).toEqual([['start', 3]]);
	expect(await session.ensure(terms(1), {})).toBe('unchanged');
});

it('tries again at the next IDENTIFY after a refusal, and reports the refusal to waiting workers', async () => {
	const { session, events, upstream, calls } = setup();
	await session.ensure(terms(1), {});
	const waiting = session.refusal();
	upstream.refusedWith = 4014;
	events.onRefused(4014);
	expect([await waiting, await session.refusal()]).toEqual([4014, 4014]);
	await session.ensure(terms(1), {});
	expect(calls).toEqual([
		['start', 1],
		['start', 1],
	]);
	const again = session.refusal();
	await session.stop({ keepSession: true });
	expect(await again).toBeUndefined();
});

it('names the intents that Discord grants or refuses', async () => {
	const { session, messages, decide } = setup();
	const shard = {};
	await session.ensure(terms(1), shard);
	const refused = session.ensure(terms(1 | 32_768), shard);
	decide({ refusedWith: 4014 });
	expect(await refused).toEqual({
		close: 4014,
		detail: 'Discord refused the intents MESSAGE_CONTENT that a worker requested; the session continues without them',
	});
	const withdrawn = session.ensure(terms(1 | 2), shard);
	session.release(shard);
	expect(await withdrawn).toMatchObject({ close: 4000, detail: expect.stringContaining('GUILD_MEMBERS') });
	const granted = session.ensure(terms(1 | 2), shard);
	decide('accepted');
	expect(await granted).toBe('upgraded');
	expect(messages('upstream:intents')).toEqual(['a worker requested GUILD_MEMBERS; Discord started a new session with them']);
});

it('reports why a connection closed', () => {
	const { events, messages } = setup();
	events.onClosed({ code: 4200, reason: 'a frame cannot be decompressed: incorrect header check' });
	events.onClosed({ code: 1000, reason: '' });
	expect(messages('upstream:disconnected')).toEqual([
		'the connection to Discord closed (4200: a frame cannot be decompressed: incorrect header check); workers stay connected',
		'the connection to Discord closed (1000); workers stay connected',
	]);
});

it('counts connections, resumes and sessions', () => {
	const { session, events } = setup();
	events.onReady(terms(1));
	events.onResumed();
	events.onResumed();
	events.onSessionLost();
	events.onPing(7);
	expect(session.stats()).toMatchObject({
		id: 1,
		shardIds: [1, 3, 5],
		ping: 7,
		identifies: 1,
		resumes: 2,
		sessionsLost: 1,
		requestsWaiting: 2,
		requestsDropped: 1,
	});
});

it('closes its shards before the connection ends, and stops them after that', async () => {
	const { session, calls } = setup({ shardIds: [1] });
	await session.stop({ keepSession: false });
	expect([session.shards[0]?.events, calls]).toEqual([['close', 'stop false'], [['stop']]]);
});

it('is saved for the next process without waiting until Discord has confirmed the close', async () => {
	const { session, upstream } = setup({ shardIds: [1] });
	const confirmed = deferred<undefined>();
	upstream.stop = () => confirmed.promise;
	await session.stop({ keepSession: true });
	expect(session.shards[0]?.events).toEqual(['close', 'stop true']);
	let closed = false;
	const closing = session.closed.then(() => {
		closed = true;
	});
	expect(closed).toBe(false);
	confirmed.resolve(undefined);
	await closing;
});

it('B1: reports a final refusal with its reason, the intents and the remedy, and not as a lost session with a successor', () => {
	const { events, upstream, refusals, messages } = setup();
	upstream.terms = { ...saved.terms, intents: (1 << 1) | (1 << 9) };
	upstream.refusedWith = 4014;
	events.onSessionLost();
	events.onRefused(4014);
	expect(refusals).toEqual([4014]);
	expect(messages('upstream:session-lost')).toEqual([]);
	expect(messages('upstream:refused')).toEqual([
		expect.stringMatching(
			/^Discord refused the session \(4014\): a privileged intent is not enabled .* \(the bot asks for GUILD_MEMBERS\); enable it at /,
		),
	]);
});

it('keeps events back, and passes them in order to the shards as before or to those of another count', () => {
	const { session, events, ready } = setup();
	const late: string[] = [];
	const hold = { onHeld: ({ dispatch }: { dispatch: { t: string } }) => late.push(dispatch.t), nowMs: () => 70 };
	ready([], 1);
	session.hold(hold);
	events.onDispatch({ t: 'FIRST', d: { guild_id: guildOf(3) } }, 2);
	events.onDispatch({ t: 'SECOND', d: { guild_id: guildOf(3) } }, 3);
	expect([late, session.newest, session.shards[1]?.events]).toEqual([['FIRST', 'SECOND'], 1, ['READY 0 @1']]);
	session.continueWith();
	expect([session.newest, session.shards[1]?.events]).toEqual([3, ['READY 0 @1', 'FIRST @2', 'SECOND @3']]);
	session.hold(hold);
	events.onDispatch({ t: 'THIRD', d: { guild_id: guildOf(9) } }, 4);
	const next = [1, 3, 5, 7, 9, 11].map((id) => new FakeShard(id));
	session.continueWith({ shards: next, totalShards: 12 });
	events.onDispatch({ t: 'FOURTH', d: { guild_id: guildOf(3) } }, 5);
	// With 12 shards: guildOf(9) is of shard 3, and guildOf(3) of shard 9.
	expect(next.map((shard) => shard.events)).toEqual([[], ['THIRD @4'], [], [], ['FOURTH @5'], []]);
	expect([session.stats().shardIds, session.isInStep]).toEqual([[1, 3, 5, 7, 9, 11], true]);
});
