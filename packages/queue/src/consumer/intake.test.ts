import type { RedisPort, RedisScript } from '@shardctl/cluster';
import { deferred, systemClock } from '@shardctl/core';
import { expect, it, vi } from 'vitest';
import { queueKeys } from '../wire/keys.js';
import type { QueueLayout } from '../wire/partitions.js';
import { Effects } from './effects.js';
import { Intake } from './intake.js';
import type { QueueEvent } from './queue-event.js';

const keys = queueKeys('1');
const fields = (seq: number) => ['e', `${seq} X ${seq} a 1`, 'd', '{}'];

/** A Redis that answers each script with the next answer that it was given, and with nothing new after that. */
function intakeUnderTest({
	layout = { shards: 1, perShard: 1 },
	concurrency = 10,
	onEvent = async () => {},
}: {
	layout?: QueueLayout;
	concurrency?: number;
	onEvent?(event: QueueEvent): Promise<void>;
} = {}) {
	const calls: { name: string; args: string[] }[] = [];
	const answers = new Map<string, unknown[]>();
	const idle: Record<string, unknown> = {
		'queue.claimPending': ['OK', 0, [], []],
		'queue.read': [['OK', 0, []]],
		'queue.acknowledge': [],
		'queue.bury': 1,
		'queue.begin': 1,
	};
	/** What is known of each interaction, and what Redis' clock says. */
	const state = {
		laterMs: 0,
		outcomes: [] as (Error | string | null)[],
		redisNow: 0,
		deferred: [] as boolean[],
		counted: [] as string[],
	};
	const redis = {
		batch: async ([command]: string[][]) => {
			if (command?.[0] !== 'GET') {
				state.counted.push(command?.slice(2).join(' ') ?? '');
				return [null];
			}
			const next = state.outcomes.shift();
			if (next instanceof Error) throw next;
			return [next == null ? null : Buffer.from(next)];
		},
		script: async ({ name }: RedisScript, _keys: unknown, args: unknown[]) => {
			calls.push({ name, args: args.map(String) });
			const next = answers.get(name)?.shift() ?? idle[name];
			if (next instanceof Error) throw next;
			return typeof next === 'function' ? await next(args.map(String)) : next;
		},
	} as unknown as RedisPort;
	const handled: string[] = [];
	const failures: string[] = [];
	const intake = new Intake({
		redis,
		keys,
		layout,
		group: 'g',
		member: 'm',
		concurrency,
		clock: { ...systemClock, monotonic: () => systemClock.monotonic() + state.laterMs },
		effects: new Effects({ redis, keys, group: 'g' }),
		wants: () => true,
		epochOf: () => 7,
		redisNow: () => state.redisNow,
		handle: async (event) => {
			handled.push(`${event.key} ${event.attempt}`);
			state.deferred.push(event.deferred);
			await onEvent(event);
		},
		onFenced: () => failures.push('fenced'),
		onFailed: (error) => failures.push((error as Error).message),
		onMissed: (partition, count) => failures.push(`${count} missed in ${partition}`),
		onDead: ({ key, reason }) => failures.push(`${key} dead: ${reason}`),
		onUnsettled: ({ key, guildId }, forMs) =>
			failures.push(`${key} of ${guildId} unsettled for ${Math.floor(forMs / 60_000)} min`),
	});
	const acknowledged = () => calls.flatMap(({ name, args }) => (name === 'queue.acknowledge' ? args.slice(5) : []));
	return { intake, answers, calls, handled, failures, acknowledged, state };
}

it('handles what was in the hand of the owner before, before what is new, and acknowledges both', async () => {
	const { intake, answers, handled, failures, acknowledged } = intakeUnderTest();
	answers.set('queue.claimPending', [['OK', 2, [['1-0', fields(1)]], ['1-0', 1]]]);
	answers.set('queue.read', [[['OK', 0, [['2-0', fields(2)]]]]]);
	intake.own(0, 7);
	await vi.waitFor(() => expect(acknowledged()).toEqual(['1-0', '2-0']));
	expect([handled, failures]).toEqual([['a:1 2', 'a:2 1'], ['2 missed in 0']]);
	expect(intake.counters).toMatchObject({ handled: 2, redelivered: 1, missed: 2 });
});

it('claims again what it could not begin, also while it was still claiming', async () => {
	const { intake, answers, handled, failures, acknowledged } = intakeUnderTest();
	const pending = ['OK', 0, [['1-0', fields(1)]], ['1-0', 1]];
	answers.set('queue.claimPending', [pending, ['OK', 0, [], []], pending]);
	answers.set('queue.begin', [new Error('Redis is away')]);
	intake.own(0, 7);
	await vi.waitFor(() => expect(acknowledged()).toEqual(['1-0']));
	expect([handled, failures]).toEqual([['a:1 2'], ['Redis is away']]);
});

it('gives an event up with which its workers have ended three times, without handling it', async () => {
	const { intake, answers, calls, handled, failures } = intakeUnderTest();
	answers.set('queue.claimPending', [['OK', 0, [['1-0', fields(1)]], ['1-0', 3]]]);
	intake.own(0, 7);
	const reason = 'its worker ended while it was handled, 3 times';
	await vi.waitFor(() => expect(failures).toEqual([`a:1 dead: ${reason}`]));
	expect(handled).toEqual([]);
	const bury = calls.find(({ name }) => name === 'queue.bury');
	const event = ['t', 'X', 's', '1', 'sid', 'a', 'g', '1', 'd', '{}'];
	expect(bury?.args.slice(4)).toEqual(['1-0', '10000', 'group', 'g', 'reason', reason, ...event]);
});

it('acknowledges an event that is for another group alone', async () => {
	const { intake, answers, handled, acknowledged } = intakeUnderTest();
	answers.set('queue.read', [[['OK', 0, [['1-0', [...fields(1), 'only', 'other']]]]]]);
	intake.own(0, 7);
	await vi.waitFor(() => expect(acknowledged()).toEqual(['1-0']));
	expect(handled).toEqual([]);
});

it.each([
	['Redis is away', new Error('Redis is away')],
	['Redis says that the partition is not its own', 0],
])('runs nothing of a guild before an event that could not begin: %s', async (_, failure) => {
	const { intake, answers, handled, acknowledged } = intakeUnderTest();
	const pending = ['OK', 0, [1, 2, 3].map((n) => [`${n}-0`, fields(n)]), [1, 2, 3].flatMap((n) => [`${n}-0`, 1])];
	answers.set('queue.claimPending', [pending, ['OK', 0, [], []], pending]);
	answers.set('queue.begin', [failure]);
	intake.own(0, 7);
	await vi.waitFor(() => expect(acknowledged()).toEqual(['1-0', '2-0', '3-0']));
	expect(handled).toEqual(['a:1 2', 'a:2 2', 'a:3 2']);
});

it('runs nothing of a guild before an event that could not be given up', async () => {
	const { intake, answers, calls, handled, acknowledged } = intakeUnderTest();
	const pending = ['OK', 0, [1, 2].map((n) => [`${n}-0`, fields(n)]), ['1-0', 3, '2-0', 1]];
	answers.set('queue.claimPending', [pending, ['OK', 0, [], []], pending]);
	answers.set('queue.bury', [new Error('Redis is away')]);
	intake.own(0, 7);
	await vi.waitFor(() => expect(acknowledged()).toEqual(['2-0']));
	expect(handled).toEqual(['a:2 2']);
	const names = calls.map(({ name }) => name).filter((name) => name === 'queue.bury' || name === 'queue.begin');
	expect(names).toEqual(['queue.bury', 'queue.bury', 'queue.begin']);
});

it('claims again where Redis does not know yet whose the partition is', async () => {
	const { intake, answers, failures, acknowledged } = intakeUnderTest();
	answers.set('queue.claimPending', [['FENCED'], ['OK', 0, [['1-0', fields(1)]], ['1-0', 1]]]);
	intake.own(0, 7);
	await vi.waitFor(() => expect(acknowledged()).toEqual(['1-0']));
	expect(failures).toEqual(['fenced']);
});

/** Answers of `queue.read` from a backlog: the partition and the number of each entry are in its id. */
function backlog(more: (partition: number) => boolean, asked: number[][] = []) {
	const next = new Map<number, number>();
	return (args: string[]) => {
		// A pair for each, and behind them the last number of each.
		const streams = (args.length - 3) / 3;
		const partitions = args.slice(3, 3 + 2 * streams).filter((_, i) => i % 2 === 0);
		asked.push(partitions.map(Number));
		return partitions.map(Number).map((partition) => {
			if (!more(partition)) return ['OK', 0, []];
			const entries = Array.from({ length: Number(args[2]) }, () => {
				const n = (next.get(partition) ?? 0) + 1;
				next.set(partition, n);
				return [`${n}-${partition}`, ['e', `${n} X ${n} ${partition} ${partition + 1}`, 'd', '{}']];
			});
			return ['OK', 0, entries];
		});
	};
}

it('reads every partition in turn while all of them have a backlog', async () => {
	const { intake, answers } = intakeUnderTest({ layout: { shards: 8, perShard: 16 }, concurrency: 100 });
	const asked: number[][] = [];
	answers.set('queue.read', Array(6).fill(backlog(() => true, asked)));
	for (let partition = 0; partition < 128; partition++) intake.own(partition, 7);
	await vi.waitFor(() => expect(asked.length).toBe(6), 10_000);
	const times = Array.from({ length: 128 }, (_, partition) => asked.filter((each) => each.includes(partition)).length);
	expect(Math.min(...times)).toBeGreaterThan(0);
	expect(Math.max(...times) - Math.min(...times)).toBeLessThanOrEqual(2);
	intake.stop();
});

it('has no more in hand than it says where it claims many partitions at once', async () => {
	const { intake, answers, calls } = intakeUnderTest({
		layout: { shards: 8, perShard: 16 },
		concurrency: 1,
		onEvent: () => new Promise(() => {}),
	});
	const claimed = (args: string[]) => {
		const ids = Array.from({ length: 64 }, (_, i) => `${i + 1}-${args[3]}`);
		return ['OK', 0, ids.map((id, i) => [id, fields(i + 1)]), ids.flatMap((id) => [id, 1])];
	};
	answers.set('queue.claimPending', Array(1000).fill(claimed));
	for (let partition = 0; partition < 128; partition++) intake.own(partition, 7);
	await vi.waitFor(() => expect(intake.load).toEqual({ inHand: 576, running: 1 }), 10_000);
	expect(calls.filter(({ name }) => name === 'queue.claimPending')).toHaveLength(9);
	intake.stop();
});

it('reads on where a handler waits for the members of its guild, although enough is in hand', async () => {
	let isAsked = false;
	const members = deferred<void>();
	const { intake, answers, calls, handled } = intakeUnderTest({
		concurrency: 1,
		onEvent: async ({ type }) => {
			if (type === 'GUILD_MEMBERS_CHUNK') members.resolve();
			else await members.promise;
		},
	});
	const all = backlog(() => true);
	const chunk = ['9999-0', ['e', '9999 GUILD_MEMBERS_CHUNK 9999 a 1', 'd', '{}']];
	const answer = (args: string[]) => (isAsked ? [['OK', 0, [chunk]]] : all(args));
	answers.set('queue.read', Array(1000).fill(answer));
	intake.own(0, 7);
	await vi.waitFor(() => expect(intake.load.inHand).toBeGreaterThan(512), 10_000);
	expect(handled).toEqual(['0:1 1']);
	isAsked = true;
	answers.set('queue.read', [answer]);
	const before = calls.length;
	intake.ring([0]);
	expect(calls.length).toBe(before);
	intake.expect('1');
	await vi.waitFor(() => expect(handled).toContain('a:9999 1'));
	expect(handled.indexOf('a:9999 1')).toBe(1);
	intake.stop();
});

const interaction = (seq: number, ...words: string[]) => [
	'e',
	[seq, 'INTERACTION_CREATE', seq, 'a', 1, ...words].join(' '),
	'd',
	'{}',
];

it.each([
	{
		deferred: true,
		ageMs: 0,
		outcomes: [null, 'yes'],
		handled: [true],
		what: 'waits for the deferred response, and says that it is there',
	},
	{ deferred: true, ageMs: 600_000, outcomes: ['yes'], handled: [true], what: 'delivers a deferred one minutes later' },
	{
		deferred: true,
		ageMs: 900_000,
		outcomes: ['yes'],
		handled: [],
		what: 'does not deliver a deferred one whose token is invalid',
	},
	{
		deferred: true,
		ageMs: 0,
		outcomes: ['no'],
		handled: [false],
		what: 'delivers one that was to be deferred and was not, as others',
	},
	{ deferred: true, ageMs: 2600, outcomes: ['no'], handled: [], what: 'does not deliver that one when it is too old' },
	{ deferred: true, ageMs: 4100, outcomes: [null], handled: [true], what: 'takes one for deferred of which nothing was noted' },
	{ deferred: false, ageMs: 0, outcomes: [], handled: [false], what: 'asks nothing about one that is not deferred' },
	{ deferred: false, ageMs: 2600, outcomes: [], handled: [], what: 'does not deliver one that is too old' },
])('an interaction: $what', async ({ deferred, ageMs, outcomes, handled }) => {
	const { intake, answers, acknowledged, state } = intakeUnderTest();
	Object.assign(state, { outcomes: [...outcomes], redisNow: 1000 + ageMs });
	answers.set('queue.read', [[['OK', 0, [['1000-0', interaction(1, ...(deferred ? ['defer'] : []))]]]]]);
	intake.own(0, 7);
	await vi.waitFor(() => expect(acknowledged()).toEqual(['1000-0']));
	expect([state.deferred, state.outcomes, intake.counters.expired]).toEqual([handled, [], 1 - handled.length]);
});

it('claims an interaction again whose outcome Redis did not answer', async () => {
	const { intake, answers, handled, failures, acknowledged, state } = intakeUnderTest();
	state.outcomes = [new Error('Redis is away'), 'yes'];
	answers.set('queue.read', [[['OK', 0, [['1-0', interaction(1, 'defer')]]]]]);
	answers.set('queue.claimPending', [
		['OK', 0, [], []],
		['OK', 0, [['1-0', interaction(1, 'defer')]], ['1-0', 1]],
	]);
	intake.own(0, 7);
	await vi.waitFor(() => expect(acknowledged()).toEqual(['1-0']));
	expect([handled, failures, state.deferred]).toEqual([['a:1 2'], ['Redis is away'], [true]]);
});

it('counts the interactions of its group that expired, at its next turn', async () => {
	const { intake, answers, acknowledged, state } = intakeUnderTest();
	state.redisNow = 10_000;
	answers.set('queue.read', [[['OK', 0, [1, 2].map((seq) => [`${seq}-0`, interaction(seq)])]]]);
	intake.own(0, 7);
	await vi.waitFor(() => expect(acknowledged()).toEqual(['1-0', '2-0']));
	intake.confirmed();
	intake.confirmed();
	expect(state.counted).toEqual(['expired 2']);
});

it('reports a handler that does not settle, once', async () => {
	const held = deferred<void>();
	const { intake, answers, handled, failures, state } = intakeUnderTest({ onEvent: () => held.promise });
	answers.set('queue.read', [[['OK', 0, [['1-0', fields(1)]]]]]);
	intake.own(0, 7);
	await vi.waitFor(() => expect(handled).toEqual(['a:1 1']));
	state.laterMs = 59_000;
	intake.confirmed();
	expect([failures, intake.unsettled]).toEqual([[], [{ key: 'a:1', type: 'X', guildId: '1' }]]);
	state.laterMs = 121_000;
	intake.confirmed();
	intake.confirmed();
	expect(failures).toEqual(['a:1 of 1 unsettled for 2 min']);
	held.resolve();
	await vi.waitFor(() => expect(intake.unsettled).toEqual([]));
});

it('gives an event up whatever its handler throws', async () => {
	const { intake, answers, calls, failures } = intakeUnderTest({ onEvent: () => Promise.reject(Object.create(null)) });
	answers.set('queue.read', [[['OK', 0, [['1-0', fields(1)]]]]]);
	intake.own(0, 7);
	await vi.waitFor(() => expect(failures).toEqual(['a:1 dead: the handler failed with {}']), 10_000);
	expect(calls.find(({ name }) => name === 'queue.bury')?.args).toContain('the handler failed with {}');
});
