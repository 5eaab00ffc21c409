import type { GatewaySessionStats } from '@shardctl/core';
import { fakeClock } from '@shardctl/test-support';
import { expect, it } from 'vitest';
import { whenServed } from './served.js';

const session = (over: Partial<GatewaySessionStats>) =>
	({ id: 3, status: 'ready', tries: 0, lastClose: null, waitsForBudget: false, ...over }) as GatewaySessionStats;

/** Waits for sessions that are in these states in turn, and stay in the last one. */
async function outcome(...looks: Partial<GatewaySessionStats>[][]) {
	const clock = fakeClock();
	const { signal } = new AbortController();
	let look = 0;
	const next = async () => ({ sessions: (looks[Math.min(look++, looks.length - 1)] ?? []).map(session) });
	const served = whenServed({ look: next, clock, timeoutMs: 10_000, signal });
	await clock.advance(10_000);
	const reason = await served;
	expect(clock.pendingTimers()).toBe(0);
	return { reason, looks: look };
}

it('accepts ready sessions, and those that no worker needs yet, at once', async () => {
	expect(await outcome([{}, { status: 'idle' }])).toEqual({ reason: undefined, looks: 1 });
	expect(await outcome([])).toEqual({ reason: undefined, looks: 1 });
});

it('waits for a session that resumes', async () => {
	expect(await outcome([{ status: 'resuming' }], [{ status: 'resuming' }], [{}])).toEqual({ reason: undefined, looks: 3 });
});

it('B2: reports at once what waiting cannot fix: a refusal with its remedy, and a used-up budget', async () => {
	const refused = { status: 'refused', lastClose: { code: 4004, reason: 'x', at: 1 } } as const;
	expect(await outcome([{ status: 'connecting' }, refused])).toEqual({
		reason: expect.stringMatching(/^Discord refused the session \(4004\): the token is not valid; copy the token again/),
		looks: 1,
	});
	expect(await outcome([{ status: 'connecting', waitsForBudget: true }])).toEqual({
		reason: 'no session starts are left today',
		looks: 1,
	});
});

it('B2: reports why a session is still disconnected after the timeout', async () => {
	const lastClose = { code: null, reason: 'connect ECONNREFUSED', at: 1 };
	const { reason, looks } = await outcome([{ status: 'connecting', tries: 12, lastClose }]);
	expect(reason).toBe('the session with Discord is connecting, 12 attempts so far: connect ECONNREFUSED');
	expect(looks).toBeGreaterThan(10);
});

it('waits for a worker that reconnects, and names its shard after the timeout', async () => {
	const clock = fakeClock();
	const { signal } = new AbortController();
	let looks = 0;
	const wait = (unready: () => string | undefined) =>
		whenServed({ look: async () => ({ sessions: [session({})], unready: unready() }), clock, timeoutMs: 10_000, signal });
	const soon = wait(() => (looks++ < 2 ? 'shard 3 is reconnecting in its worker' : undefined));
	await clock.advance(10_000);
	expect([await soon, looks]).toEqual([undefined, 3]);
	const never = wait(() => 'shard 3 is reconnecting in its worker');
	await clock.advance(10_000);
	expect(await never).toBe('shard 3 is reconnecting in its worker');
});
