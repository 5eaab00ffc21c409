import { fakeClock } from '@shardctl/test-support';
import { expect, it } from 'vitest';
import type { AdoptedGuilds } from '../shard/resident-shard.js';
import type { Dispatch } from '../state/raw.js';
import { ShardState } from '../state/shard-state.js';
import { type EventHold, HeldEvents } from './held-events.js';
import { type ChangingShard, ShardChange } from './shard-change.js';

/** The id of the nth guild, whose shard is n modulo the shard count. */
const guild = (number: number) => String(BigInt(number) << 22n);
const message = (number: number): Dispatch => ({ t: 'MESSAGE_CREATE', d: { guild_id: guild(number) }, text: 'x'.repeat(10) });
const ids = (count: number) => Array.from({ length: count }, (_, id) => id);

class FakeShard implements ChangingShard {
	readonly id: number;
	readonly guilds: string[];
	newest = 100;
	isQuiet = true;
	isHeldUp = false;
	isHandedOver = false;
	saves = true;
	left = false;
	adopted: AdoptedGuilds | undefined;
	readonly logOut: (() => void)[] = [];

	constructor(id: number, guilds: readonly number[]) {
		this.id = id;
		this.guilds = guilds.map(guild);
	}

	get state(): ShardState | undefined {
		const state = ShardState.fromReady({ user: { id: '9' }, guilds: [] });
		for (const id of this.guilds) state.apply({ t: 'GUILD_CREATE', d: { id, members: [], member_count: 1 } });
		return state;
	}

	get voicePlaces() {
		return this.guilds.map((id) => ({ state: { guild_id: id }, server: null }));
	}

	save = async () => this.saves;
	adopt = (adopted: AdoptedGuilds) => {
		this.adopted = adopted;
	};
	leave = (left = true) => {
		this.left = left;
	};
	released = () => new Promise<void>((resolve) => void this.logOut.push(resolve));
}

class FakeSession {
	readonly id: number;
	readonly of: number;
	shards: readonly FakeShard[];
	newest = 120;
	botId = '9';
	terms = { intents: 1, largeThreshold: null, presence: null };
	isReady = true;
	isWatched = false;
	isInStep = true;
	held: HeldEvents | null = null;
	isRead = true;
	/** Shard count and types of what was passed on. */
	readonly passed: [number, string][] = [];
	#totalShards: number;

	constructor(id: number, of: number, { shards, totalShards }: { shards: readonly FakeShard[]; totalShards: number }) {
		this.id = id;
		this.of = of;
		this.shards = shards;
		this.#totalShards = totalShards;
	}

	hold(hold: EventHold): void {
		this.held = new HeldEvents(hold);
	}

	continueWith(next?: { shards: readonly FakeShard[]; totalShards: number }): void {
		if (next) this.shards = next.shards;
		if (next) this.#totalShards = next.totalShards;
		const waiting = this.held?.takeAll() ?? [];
		this.held = null;
		for (const { dispatch } of waiting) this.receive(dispatch);
	}

	stopReading(): void {
		this.isRead = false;
	}

	continueReading(): void {
		this.isRead = true;
	}

	receive(dispatch: Dispatch): void {
		if (this.held) this.held.add(dispatch, 1);
		else this.passed.push([this.#totalShards, dispatch.t]);
	}
}

const limits = { sealedWithinMs: 40_000 };

/** Two sessions of shards that have 32 guilds. */
function setup({ from = 4, to = 8 } = {}) {
	const clock = fakeClock();
	const sessions = [0, 1].map((id) => {
		const own = ids(from).filter((shard) => shard % 2 === id);
		return new FakeSession(id, 2, {
			totalShards: from,
			shards: own.map(
				(shard) =>
					new FakeShard(
						shard,
						ids(32).filter((number) => number % from === shard),
					),
			),
		});
	});
	const next = ids(to).map((id) => new FakeShard(id, []));
	const story: string[] = [];
	const change = new ShardChange<FakeShard>({
		sessions,
		totalShards: from,
		layout: { generation: 1, totalShards: to, sessions: 2 },
		shards: next,
		clock,
		buffer: { events: 10, bytes: 1000, ageMs: 1000 },
		onTaken: () => story.push('taken'),
		onGivenUp: ({ message }) => story.push(message),
		onDropped: () => story.push('dropped'),
	});
	const present = sessions.flatMap(({ shards }) => shards);
	const [first] = sessions as [FakeSession, FakeSession];
	return { change, sessions, first, present, next, story, clock };
}

/** Settles what needs no time of the fake clock. */
async function settle(): Promise<void> {
	for (let turn = 0; turn < 40; turn++) await new Promise((resolve) => setImmediate(resolve));
}

it.each([
	[4, 8],
	[8, 4],
	[2, 8],
])('gives the shards of %i the guilds, the position and the voice channels of those of %i', async (from, to) => {
	const { change, next } = setup({ from, to });
	expect(change.guildCount).toBe(32);
	await change.cut(limits);
	for (const { id, adopted } of next) {
		const own = ids(32).filter((number) => number % to === id);
		expect(adopted?.state.guildIds().sort()).toEqual(own.map(guild).sort());
		expect(adopted?.voice.map(({ state }) => state.guild_id).sort()).toEqual(own.map(guild).sort());
		expect([adopted?.cursor, adopted?.botId]).toEqual([120, '9']);
	}
});

it('keeps events back from the cut on, and passes them to the new shards, in order', async () => {
	const { change, first, present, story } = setup();
	await change.cut(limits);
	first.receive(message(0));
	await change.seal();
	first.receive({ t: 'LATER', d: {} });
	expect([first.passed, present.every(({ left }) => left)]).toEqual([[], true]);
	change.take();
	expect(first.passed).toEqual([
		[8, 'MESSAGE_CREATE'],
		[8, 'LATER'],
	]);
	expect([story, change.state, change.figures.held]).toEqual([['taken'], 'taken', 2]);
	change.take();
	expect(story).toEqual(['taken']);
});

it('waits for the confirmations of the present workers, lets events flow where they are late, and tries again', async () => {
	const { change, first, present, clock } = setup();
	(present[1] as FakeShard).isQuiet = false;
	const cut = change.cut(limits);
	await settle();
	first.receive(message(0));
	expect(first.passed).toEqual([]);
	await clock.advance(1100);
	expect(first.passed).toEqual([[4, 'MESSAGE_CREATE']]);
	(present[1] as FakeShard).isQuiet = true;
	await clock.advance(1000);
	await cut;
	expect(change.state).toBe('cut');
});

it.each([
	['a session has no connection', ({ first }: ReturnType<typeof setup>) => (first.isReady = false), /lost its connection/],
	[
		'a worker is away',
		({ present }: ReturnType<typeof setup>) => ((present[0] as FakeShard).isHeldUp = true),
		/is not connected/,
	],
	[
		'a worker is replaced',
		({ present }: ReturnType<typeof setup>) => ((present[0] as FakeShard).isHandedOver = true),
		/replaced/,
	],
	['a session was just replaced', ({ first }: ReturnType<typeof setup>) => (first.isWatched = true), /session before it/],
])('does not cut while %s, and gives up after a while', async (_, fault, reason) => {
	const fleet = setup();
	fault(fleet);
	const cut = fleet.change.cut(limits);
	cut.catch(() => {});
	await settle();
	await fleet.clock.advance(7000);
	await expect(cut).rejects.toMatchObject({ code: 'RESHARD_FAILED', message: expect.stringMatching(reason) });
	expect([fleet.change.state, fleet.first.held]).toEqual(['waiting', null]);
});

it.each(['waiting', 'cut', 'sealed'])('is dropped from %s: the present shards get what waited', async (state) => {
	const { change, first, present, story } = setup();
	if (state !== 'waiting') await change.cut(limits);
	if (state === 'sealed') await change.seal();
	first.receive(message(0));
	change.drop('it was called off');
	expect([first.passed, story, present.some(({ left }) => left)]).toEqual([[[4, 'MESSAGE_CREATE']], ['dropped'], false]);
	await expect(change.seal()).rejects.toMatchObject({ code: 'RESHARD_FAILED', message: expect.stringMatching(/called off/) });
	expect(() => change.take()).toThrow(expect.objectContaining({ code: 'RESHARD_FAILED' }));
});

it.each([
	[
		'more events arrive than the buffer holds',
		ids(45).map(message),
		'more events arrived meanwhile than the buffer of a shard may have',
	],
	['Discord starts another session', [{ t: 'READY', d: {} }], 'Discord started another session meanwhile'],
])('is dropped after the cut when %s', async (_, events: Dispatch[], reason) => {
	const { change, first, story } = setup();
	await change.cut(limits);
	for (const event of events) first.receive(event);
	expect([story, first.passed.length]).toEqual([[`the shards were not replaced: ${reason}`, 'dropped'], events.length]);
	// The manager learns it with its next request.
	expect(change.givenUp).toBe(reason);
	await expect(change.seal()).rejects.toMatchObject({ code: 'RESHARD_FAILED', message: expect.stringContaining(reason) });
});

it('reads nothing more from Discord where it is sealed and the buffer is full, and is taken as soon as the manager has decided', async () => {
	const { change, first, sessions, story } = setup();
	await change.cut(limits);
	await change.seal();
	for (const event of ids(40).map(message)) first.receive(event);
	expect(sessions.map(({ isRead }) => isRead)).toEqual([true, true]);
	first.receive(message(40));
	expect([story, sessions.map(({ isRead }) => isRead)]).toEqual([[], [false, false]]);
	await change.released();
	expect([story, sessions.map(({ isRead }) => isRead), first.passed.length]).toEqual([['taken'], [true, true], 41]);
});

it('is taken with a full buffer while the present workers log out, and read on where the change is dropped', async () => {
	const decided = setup();
	await decided.change.cut(limits);
	await decided.change.seal();
	const released = decided.change.released();
	for (const event of ids(41).map(message)) decided.first.receive(event);
	expect([decided.story, decided.first.isRead]).toEqual([['taken'], true]);
	for (const shard of decided.present) for (const logOut of shard.logOut) logOut();
	await released;
	const dropped = setup();
	await dropped.change.cut(limits);
	await dropped.change.seal();
	for (const event of ids(41).map(message)) dropped.first.receive(event);
	dropped.change.drop('it was called off');
	expect([dropped.first.isRead, dropped.first.passed.length]).toEqual([true, 41]);
});

it('gives up a cut within seconds that a present worker does not confirm, and names its shard', async () => {
	const { change, present, clock, first } = setup();
	(present[1] as FakeShard).isQuiet = false;
	const cut = change.cut(limits);
	cut.catch(() => {});
	await settle();
	await clock.advance(8000);
	await expect(cut).rejects.toMatchObject({
		code: 'RESHARD_FAILED',
		details: { reason: 'the worker of shard 2 did not confirm its events in time' },
	});
	expect([change.state, first.held]).toEqual(['waiting', null]);
});

it('is not sealed where a new shard cannot be saved', async () => {
	const { change, next } = setup();
	(next[3] as FakeShard).saves = false;
	await change.cut(limits);
	await expect(change.seal()).rejects.toMatchObject({
		code: 'RESHARD_FAILED',
		message: expect.stringMatching(/cannot be saved/),
	});
	expect(change.state).toBe('cut');
});

it('does not keep events back for ever where the manager says nothing', async () => {
	const { change, first, clock } = setup();
	await change.cut(limits);
	first.receive(message(0));
	await clock.advance(39_000);
	expect(change.state).toBe('cut');
	await clock.advance(1000);
	expect([change.state, first.passed]).toEqual(['dropped', [[4, 'MESSAGE_CREATE']]]);
	expect(clock.pendingTimers()).toBe(0);
});

it('refuses requests in another order', async () => {
	const { change } = setup();
	await expect(change.seal()).rejects.toMatchObject({ code: 'PROTOCOL_ERROR' });
	await expect(change.released()).rejects.toMatchObject({ code: 'PROTOCOL_ERROR' });
	expect(() => change.take()).toThrow(expect.objectContaining({ code: 'PROTOCOL_ERROR' }));
});
