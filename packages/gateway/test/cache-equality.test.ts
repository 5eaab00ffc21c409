// The promise of the resident gateway: a worker that is restarted at any point of the stream has the same cache as one that received all
// of it. One discord.js client is fed the stream; another one is restarted at random points, and gets READY and the guilds from the
// state at the cursor, then the rest.
// Not vitest's toEqual, which takes far longer to compare two large caches.
import { deepStrictEqual } from 'node:assert/strict';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { diffStates } from '../src/state/diff-states.js';
import type { Dispatch, RawObject } from '../src/state/raw.js';
import { ShardState } from '../src/state/shard-state.js';
import { atOnce } from './support/at-once.js';
import { CachedClient, cacheOf, cachesAfterLoss } from './support/cached-client.js';
import { DiscordWorld } from './support/discord-world.js';

const clients = new Set<CachedClient>();

function newClient(): CachedClient {
	const client = new CachedClient();
	clients.add(client);
	return client;
}

afterEach(destroyClients);

function destroyClients(): void {
	for (const client of clients) client.destroy();
	clients.clear();
}

/** A worker that starts at the state's cursor. */
function begin(state: ShardState, encoded: boolean): CachedClient {
	const client = newClient();
	client.feed(JSON.stringify({ t: 'READY', d: state.ready({ session_id: 'local' }) }));
	if (encoded) for (const { t, json } of state.encodedGuildDispatches()) client.feed(`{"t":"${t}","d":${json}}`);
	else for (const dispatch of state.guildDispatches()) client.feed(JSON.stringify(dispatch));
	return client;
}

/** What is done to the state between two events; none of it may change the result. */
const doings = ['nothing', 'freeze', 'restart', 'restart, as text', 'save and load'] as const;

const step = fc.record({
	numbers: fc.array(fc.nat(10_000), { minLength: 3, maxLength: 12 }),
	doing: fc.oneof({ weight: 10, arbitrary: fc.constant(doings[0]) }, { weight: 4, arbitrary: fc.constantFrom(...doings) }),
});

/** Which kinds of changes a run has: with few kinds they hit the same objects, which is where mistakes are. */
const focus = fc.array(fc.nat(10_000), { maxLength: 12, size: 'max' });

function parsed(text: string): Dispatch {
	return JSON.parse(text) as Dispatch;
}

interface Step {
	numbers: number[];
	doing: (typeof doings)[number];
}

/** Runs a stream and returns the caches of both clients. */
function run(focus: number[], steps: Step[]): { direct: unknown; restarted: unknown; stream: string[] } {
	const world = new DiscordWorld(focus);
	const [ready, ...guilds] = world.login() as [Dispatch, ...Dispatch[]];
	const direct = newClient();
	direct.feed(JSON.stringify(ready));
	let state = ShardState.fromReady(structuredClone(ready.d) as RawObject, { coldAfterMs: 0 });
	let restarted = newClient();
	restarted.feed(JSON.stringify(ready));
	const stream: string[] = [];
	let now = 0;
	const send = (dispatch: Dispatch) => {
		const text = JSON.stringify(dispatch);
		stream.push(text);
		direct.feed(text);
		restarted.feed(text);
		state.apply(parsed(text));
	};
	const apply: Record<Step['doing'], () => void> = {
		nothing: () => {},
		freeze: () => {
			state.compressCold(++now);
		},
		restart: () => {
			restarted = begin(state, false);
		},
		'restart, as text': () => {
			restarted = begin(state, true);
		},
		'save and load': () => {
			state = ShardState.restore(atOnce(state.serialize()), { coldAfterMs: 0 });
		},
	};
	guilds.forEach(send);
	for (const { numbers, doing } of steps) {
		world.happen(numbers).forEach(send);
		apply[doing]();
	}
	// A last restart, at the end of the stream: its cache is the state itself.
	const last = begin(state, true);
	deepStrictEqual(cacheOf(last.client), cacheOf(restarted.client));
	return { direct: cacheOf(direct.client), restarted: cacheOf(restarted.client), stream };
}

describe('a worker that is restarted at any point of the stream', () => {
	it('has the same cache as one that received all of it', () => {
		fc.assert(
			fc.property(focus, fc.array(step, { minLength: 1, maxLength: 150, size: 'max' }), (kinds, steps) => {
				const { direct, restarted } = run(kinds, steps);
				destroyClients();
				deepStrictEqual(restarted, direct);
			}),
			{ numRuns: 100 },
		);
	});
});

describe('a worker that stays connected while the upstream session is lost', () => {
	it('has the same cache as one that logs in to the new session', () => {
		const numbers = fc.array(
			step.map((one) => one.numbers),
			{ minLength: 1, maxLength: 80, size: 'max' },
		);
		fc.assert(
			fc.property(focus, numbers, numbers, (kinds, seen, missed) => {
				const world = new DiscordWorld(kinds);
				const [ready, ...guilds] = world.login() as [Dispatch, ...Dispatch[]];
				const before = ShardState.fromReady(structuredClone(ready.d) as RawObject);
				const connected = newClient();
				connected.feed(JSON.stringify(ready));
				for (const dispatch of [...guilds, ...seen.flatMap((choices) => world.happen(choices))]) {
					connected.feed(JSON.stringify(dispatch));
					before.apply(structuredClone(dispatch));
				}
				for (const choices of missed) world.happen(choices);

				const [again, ...allGuilds] = world.login() as [Dispatch, ...Dispatch[]];
				const after = ShardState.fromReady(structuredClone(again.d) as RawObject);
				for (const dispatch of allGuilds) after.apply(structuredClone(dispatch));
				const inOutage = connected.client.guilds.cache.filter((guild) => !guild.available);
				for (const dispatch of diffStates(before, after)) {
					const text = JSON.stringify(dispatch);
					if (inOutage.has((dispatch.d as { id: string }).id)) connected.feed(text);
					else connected.feedAsIs(text);
				}
				const fresh = begin(after, true);
				const [expected, found] = cachesAfterLoss(fresh.client, connected.client);
				deepStrictEqual(found, expected);
				expect(diffStates(after, after)).toEqual([]);
				destroyClients();
			}),
			{ numRuns: 60 },
		);
	});
});
