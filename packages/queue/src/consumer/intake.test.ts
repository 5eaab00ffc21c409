import type { RedisPort, RedisScript } from '@shardctl/cluster';
import { systemClock } from '@shardctl/core';
import { expect, it, vi } from 'vitest';
import { queueKeys } from '../wire/keys.js';
import { Effects } from './effects.js';
import { Intake } from './intake.js';

const keys = queueKeys('1');
const fields = (seq: number) => ['e', `${seq} X ${seq} a 1`, 'd', '{}'];

/** A Redis that answers each script with the next answer that it was given, and with nothing new after that. */
function intakeUnderTest() {
	const calls: { name: string; args: string[] }[] = [];
	const answers = new Map<string, unknown[]>();
	const idle: Record<string, unknown> = {
		'queue.claimPending': ['OK', 0, [], []],
		'queue.read': [['OK', 0, []]],
		'queue.acknowledge': [],
		'queue.bury': 1,
		'queue.begin': 1,
	};
	const redis = {
		script: async ({ name }: RedisScript, _keys: unknown, args: unknown[]) => {
			calls.push({ name, args: args.map(String) });
			const next = answers.get(name)?.shift() ?? idle[name];
			if (next instanceof Error) throw next;
			return next;
		},
	} as unknown as RedisPort;
	const handled: string[] = [];
	const failures: string[] = [];
	const intake = new Intake({
		redis,
		keys,
		layout: { shards: 1, perShard: 1 },
		group: 'g',
		member: 'm',
		concurrency: 10,
		clock: systemClock,
		effects: new Effects({ redis, keys, group: 'g' }),
		wants: () => true,
		epochOf: () => 7,
		redisNow: () => 0,
		handle: async ({ key, attempt }) => void handled.push(`${key} ${attempt}`),
		onFenced: () => failures.push('fenced'),
		onFailed: (error) => failures.push((error as Error).message),
		onMissed: (partition, count) => failures.push(`${count} missed in ${partition}`),
		onDead: ({ key, reason }) => failures.push(`${key} dead: ${reason}`),
	});
	const acknowledged = () => calls.flatMap(({ name, args }) => (name === 'queue.acknowledge' ? args.slice(5) : []));
	return { intake, answers, calls, handled, failures, acknowledged };
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
