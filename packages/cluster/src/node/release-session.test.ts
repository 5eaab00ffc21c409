import { fakeClock } from '@shardctl/test-support';
import { expect, it } from 'vitest';
import { timingsFor } from '../lease/timings.js';
import { clusterKeys } from '../redis/keys.js';
import type { RedisPort } from '../redis/redis-port.js';
import { type ReleaseSessionOptions, releaseSession } from './release-session.js';

const keys = clusterKeys('123');

/** `answers`: of one try after the other; the last one is that of all further ones. */
function setUp(answers: readonly (string | Error)[]) {
	const clock = fakeClock();
	const calls: unknown[][] = [];
	const redis: Pick<RedisPort, 'script'> = {
		script: async ({ name }, scriptKeys, args, options) => {
			const answer = answers[Math.min(calls.length, answers.length - 1)];
			calls.push([name, scriptKeys.length, args.slice(5), options]);
			if (answer instanceof Error) throw answer;
			return [answer, '70'];
		},
	};
	const options: ReleaseSessionOptions = {
		redis,
		keys,
		timings: timingsFor(),
		clock,
		identity: () => 'engine',
		node: 'a',
		member: '{"name":"alpha","draining":false}',
		session: 3,
		epoch: 100,
		until: clock.monotonic() + 6000,
	};
	return { clock, calls, released: releaseSession(options) };
}

it('marks the node as abandoned, releases the session by its epoch and tells all nodes, in one script that Redis need not know', async () => {
	const { calls, released } = setUp(['OK']);
	expect(await released).toBe(true);
	expect(calls).toEqual([
		[
			'abandon',
			5,
			['a', 3, 100, '', '{"name":"alpha","draining":true,"abandoned":true}', keys.tableChanged],
			{ timeoutMs: 1000, isRare: true },
		],
	]);
});

it('tries again where Redis does not answer, or releases nothing yet', async () => {
	const { clock, calls, released } = setUp([new Error('no answer'), 'QUIET', new Error('no answer'), 'OK']);
	await clock.advance(50);
	expect(calls).toHaveLength(2);
	await clock.advance(70);
	expect(calls).toHaveLength(2);
	await clock.advance(51);
	expect(calls).toHaveLength(4);
	expect(await released).toBe(true);
	expect(calls).toHaveLength(4);
});

it.each(['FENCED', 'ENGINE'])('does not try again after %s', async (answer) => {
	const { calls, released } = setUp([answer]);
	expect(await released).toBe(false);
	expect(calls).toHaveLength(1);
});

it('ends when the time is over', async () => {
	const { clock, calls, released } = setUp([new Error('no answer')]);
	await clock.advance(7000);
	expect(await released).toBe(false);
	expect(calls.length).toBeGreaterThan(100);
});
