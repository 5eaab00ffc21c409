import type { RedisPort } from '@shardctl/cluster';
import { fakeClock } from '@shardctl/test-support';
import { expect, it } from 'vitest';
import { queueKeys } from '../wire/keys.js';
import { InteractionDeferral } from './interaction-deferral.js';

type Answer = number | { status: number; code?: number; retryAfter?: string } | { refusedWith: string } | 'hangs';

/** A Discord that gives these answers in turn, the last one again and again. */
function deferralUnderTest(answers: Answer[]) {
	const clock = fakeClock();
	const requests: { url: string; type: number; data?: unknown }[] = [];
	const noted: string[] = [];
	const failures: string[] = [];
	const redis = { failing: 0 };
	const deferral = new InteractionDeferral({
		redis: {
			script: async (_script: unknown, names: readonly string[], [outcome]: readonly string[]) => {
				if (redis.failing-- > 0) throw new Error('Redis is away');
				noted.push(`${names[0]?.split(':').slice(-2).join(':')} ${outcome}`);
				return 1;
			},
		} as unknown as RedisPort,
		keys: queueKeys('1'),
		clock,
		api: 'http://discord.test/api/',
		onFailed: (count, reason) => failures.push(`${count}: ${reason}`),
		fetch: async (url, init) => {
			requests.push({ url: String(url), ...(JSON.parse(String(init?.body)) as { type: number; data?: unknown }) });
			const answer = (answers.length > 1 ? answers.shift() : answers[0]) as Answer;
			if (answer === 'hangs')
				return new Promise((_resolve, reject) => {
					init?.signal?.addEventListener('abort', () => reject(new Error(`aborted ${String(url)}`)));
				});
			if (typeof answer !== 'number' && 'refusedWith' in answer)
				throw new TypeError(`fetch failed: ${String(url)}`, { cause: { code: answer.refusedWith } });
			const { status, code, retryAfter } = typeof answer === 'number' ? { status: answer } : answer;
			const headers = retryAfter === undefined ? {} : { 'retry-after': retryAfter };
			return new Response(status === 204 ? null : JSON.stringify({ message: 'secret', code }), { status, headers });
		},
	});
	/** Resolves when all outcomes are noted. */
	const settled = async () => {
		for (let n = 0; n < 20; n++) await clock.advance(0);
	};
	const begin = (type: number, key = 'a:1', options = {}) => deferral.begin({ id: '7', token: 'se/cret', type }, key, options);
	return { deferral, begin, settled, clock, requests, noted, failures, redis };
}

it('responds at once to commands, components and forms, each in its way, and notes it', async () => {
	const { begin, settled, requests, noted, failures } = deferralUnderTest([204]);
	expect(await Promise.all([begin(2, 'a:1'), begin(3, 'a:2'), begin(5, 'a:3')])).toEqual([true, true, true]);
	await settled();
	const url = 'http://discord.test/api/v10/interactions/7/se%2Fcret/callback';
	expect(requests).toEqual([5, 6, 5].map((type) => ({ url, type })));
	expect([noted, failures]).toEqual([['a:1 yes', 'a:2 yes', 'a:3 yes'], []]);
});

it('responds to commands and forms for the eyes of their user alone where that is asked for; components keep their message', async () => {
	const { begin, requests } = deferralUnderTest([204]);
	for (const type of [2, 3, 5]) await begin(type, `a:${type}`, { isEphemeral: true });
	expect(requests.map(({ type, data }) => ({ type, data }))).toEqual([
		{ type: 5, data: { flags: 64 } },
		{ type: 6, data: undefined },
		{ type: 5, data: { flags: 64 } },
	]);
});

it('leaves what cannot be deferred: pings, autocomplete, and what is no interaction', () => {
	const { deferral, begin, requests } = deferralUnderTest([204]);
	const others = [
		begin(1),
		begin(4),
		begin(99),
		...[null, 7, {}, { type: 2, id: '1' }].map((data) => deferral.begin(data, 'a:1')),
	];
	expect([others.every((each) => each === undefined), requests]).toEqual([true, []]);
});

it('takes an interaction for deferred that has a response already, as after the end of another process', async () => {
	const { begin, settled, noted } = deferralUnderTest([{ status: 400, code: 40_060 }]);
	expect(await begin(2)).toBe(true);
	await settled();
	expect(noted).toEqual(['a:1 yes']);
});

it.each<[string, Answer[], string]>([
	['a fault of Discord', [503, 204], 'yes'],
	['a rate limit', [{ status: 429, retryAfter: '1' }, 204], 'yes'],
	['a connection that is refused', [{ refusedWith: 'ECONNREFUSED' }, 204], 'yes'],
	['a connection that breaks off', [{ refusedWith: 'UND_ERR_SOCKET' }, { status: 400, code: 40_060 }], 'yes'],
])('tries again after %s', async (_what, answers, outcome) => {
	const { begin, settled, clock, requests, noted, failures } = deferralUnderTest(answers);
	const deferred = begin(2);
	await clock.advance(1000);
	expect(await deferred).toBe(true);
	await settled();
	expect([requests.length, noted, failures]).toEqual([2, [`a:1 ${outcome}`], []]);
});

it.each<[string, Answer[], string, string[]]>([
	['is refused', [{ status: 404, code: 10_062 }], 'Discord answered 404 (code 10062)', ['a:1 no']],
	['is never reached', [{ refusedWith: 'ECONNREFUSED' }], 'no answer from Discord (ECONNREFUSED)', ['a:1 no']],
	['has to wait for too long', [{ status: 429, retryAfter: '3' }], 'Discord answered 429', ['a:1 no']],
	// It may have been received: nothing is noted.
	['gets no answer', ['hangs'], 'no answer from Discord', []],
])('gives up where it %s, and names neither the token nor the address', async (_what, answers, reason, noted) => {
	const under = deferralUnderTest(answers);
	const deferred = under.begin(2);
	await under.clock.advance(2500);
	expect(await deferred).toBe(noted.length === 0);
	await under.settled();
	expect([under.noted, under.failures]).toEqual([noted, [`1: ${reason}`]]);
	expect(under.clock.pendingTimers()).toBe(0);
});

it('reports failures once a minute, with their number', async () => {
	const { begin, settled, clock, failures } = deferralUnderTest([403]);
	for (let n = 0; n < 5; n++) await begin(2);
	await settled();
	await clock.advance(60_000);
	await begin(2);
	await settled();
	expect(failures).toEqual(['1: Discord answered 403', '5: Discord answered 403']);
});

it('notes an outcome when Redis answers again', async () => {
	const { begin, settled, clock, noted, redis } = deferralUnderTest([204]);
	redis.failing = 3;
	expect(await begin(2)).toBe(true);
	await clock.advance(1500);
	await settled();
	expect(noted).toEqual(['a:1 yes']);
});

it('answers a bounded number at the same time', async () => {
	const { begin, settled, clock, requests, failures } = deferralUnderTest(['hangs']);
	const begun = Array.from({ length: 1025 }, () => begin(2));
	expect([begun[1023] === undefined, begun[1024] === undefined, requests.length]).toEqual([false, true, 1024]);
	expect(failures).toEqual(['1: more than 1024 were being answered']);
	await clock.advance(2500);
	await settled();
});

it('stops when what has arrived is answered, whether Redis answers or not', async () => {
	const { deferral, begin, clock, requests, noted, redis } = deferralUnderTest([503, 204]);
	redis.failing = 100;
	const deferred = begin(2);
	const stopped = deferral.stop();
	await clock.advance(1000);
	await stopped;
	expect([await deferred, requests.length, noted]).toEqual([true, 2, []]);
});
