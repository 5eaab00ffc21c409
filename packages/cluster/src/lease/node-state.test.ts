import { fakeClock } from '@shardctl/test-support';
import { describe, expect, it } from 'vitest';
import { NodeState, type Renewal, type RenewalReply, type SessionAnswer } from './node-state.js';
import { timingsFor } from './timings.js';

const timings = timingsFor();

function setUp() {
	const clock = fakeClock();
	const state = new NodeState({ node: 'a', clock, timings });
	const reply = (
		sessions: Record<number, SessionAnswer>,
		{ identity = 'one', renewals = {} as Record<string, number> } = {},
	): RenewalReply => ({
		kind: 'renewed',
		identity,
		quietMs: 0,
		version: 1,
		registered: true,
		sessions: new Map(Object.entries(sessions).map(([id, answer]) => [Number(id), answer])),
		renewals: new Map(Object.entries(renewals)),
	});
	const renew = (sessions: Record<number, SessionAnswer>, facts?: Parameters<typeof reply>[1]) =>
		state.hear(state.beginRenewal(), reply(sessions, facts));
	return { clock, state, reply, renew };
}

describe('the lease of a node', () => {
	it('ends three quarters of a lease after the renewal was sent, whenever its answer arrived', async () => {
		const { clock, state, reply } = setUp();
		const renewal = state.beginRenewal();
		await clock.advance(2000);
		state.hear(renewal, reply({ 0: 100 }));
		expect([state.mayAct(0), state.leaseMs]).toEqual([true, 2500]);
		await clock.advance(2499);
		expect(state.mayAct(0)).toBe(true);
		await clock.advance(1);
		expect([state.mayAct(0), state.muted]).toEqual([false, true]);
	});

	it('is not shortened by the late answer of an earlier renewal', async () => {
		const { clock, state, reply } = setUp();
		const earlier = state.beginRenewal();
		await clock.advance(1500);
		const later = state.beginRenewal();
		state.hear(later, reply({ 0: 100 }));
		expect(state.hear(earlier, reply({ 0: 'none' }))).toMatchObject({ overtaken: true, lost: [] });
		expect([state.leaseMs, state.mayAct(0)]).toEqual([timings.validMs, true]);
	});

	it('is in doubt after the wall clock and the monotonic clock moved apart, in either direction, until the next renewal', () => {
		const { clock, state, renew } = setUp();
		for (const jump of [3_600_000, -3_600_000, timings.doubtMs + 1]) {
			renew({ 0: 100 });
			expect(state.mayAct(0)).toBe(true);
			clock.setNow(clock.now() + jump);
			expect(state.mayAct(0)).toBe(false);
		}
		renew({ 0: 100 });
		clock.setNow(clock.now() + timings.doubtMs);
		expect(state.mayAct(0)).toBe(true);
	});

	it('is in doubt when the machine was suspended between a renewal and its answer', () => {
		const { clock, state, reply } = setUp();
		const renewal = state.beginRenewal();
		clock.setNow(clock.now() + 60_000);
		state.hear(renewal, reply({ 0: 100 }));
		expect(state.mayAct(0)).toBe(false);
	});
});

describe('the sessions of a node', () => {
	it('are those that an answer names, with the epoch in it', () => {
		const { state, renew } = setUp();
		expect(renew({ 0: 100, 1: 'none' })).toMatchObject({ granted: [{ session: 0, epoch: 100 }], lost: [] });
		expect([state.mayAct(0), state.mayAct(1)]).toEqual([true, false]);
		expect(renew({ 0: 'none' })).toMatchObject({ granted: [], lost: [{ session: 0, epoch: 100 }] });
		expect(state.mayAct(0)).toBe(false);
	});

	it('are never adopted with an epoch that is not above the last one released', () => {
		const { state, renew } = setUp();
		renew({ 0: 100 });
		state.drop(0);
		renew({ 0: 100 });
		renew({ 0: 99 });
		expect(state.holding(0)).toBeUndefined();
		renew({ 0: 101 });
		expect(state.mayAct(0)).toBe(true);
	});

	it('wait when the answer says so, and act again with a new epoch', () => {
		const { state, renew } = setUp();
		renew({ 0: 100 });
		renew({ 0: 'wait' });
		expect([state.mayAct(0), state.holding(0)?.hold]).toEqual([false, 'waiting']);
		renew({ 0: 101 });
		expect(state.mayAct(0)).toBe(true);
	});

	it('are not touched by an answer about an epoch that has changed since it was asked for', () => {
		const { state, reply, renew } = setUp();
		renew({ 0: 100 });
		const about100: Renewal = state.beginRenewal();
		state.hearGrant(0, 200, state.lastRenewal);
		state.hear(about100, reply({ 0: 'none' }));
		expect(state.holding(0)).toMatchObject({ epoch: 200, hold: 'acting' });
	});

	it('are silent once a hand-over is sent, until it is refused by an answer or taken back with a new epoch', () => {
		const { state, renew } = setUp();
		renew({ 0: 100 });
		expect(state.giveAway(0)).toMatchObject({ epoch: 100 });
		renew({ 0: 100 });
		expect(state.mayAct(0)).toBe(false);
		state.keep(0, 99);
		expect(state.mayAct(0)).toBe(false);
		state.keep(0, 100);
		expect(state.mayAct(0)).toBe(true);
		state.giveAway(0);
		renew({ 0: 101 });
		expect(state.mayAct(0)).toBe(true);
	});

	it('cannot be handed over while the lease is over', async () => {
		const { clock, state, renew } = setUp();
		renew({ 0: 100 });
		await clock.advance(timings.validMs);
		expect(state.giveAway(0)).toBeUndefined();
		expect(state.holding(0)?.hold).toBe('acting');
	});

	it('are not granted by the answer to a takeover that a later renewal has overtaken', () => {
		const { state, renew } = setUp();
		renew({});
		const sentAfter = state.lastRenewal;
		renew({ 0: 'none' });
		expect(state.hearGrant(0, 100, sentAfter)).toBeUndefined();
		expect(state.hearGrant(0, 100, state.lastRenewal)).toMatchObject({ session: 0, epoch: 100 });
	});
});

describe('what a node has seen of others', () => {
	it('counts a node as silent only after its renewals were the same for the lease and a margin, on its own clock', async () => {
		const { clock, state, renew } = setUp();
		renew({}, { renewals: { b: 7 } });
		expect(state.silentInMs('b')).toBe(timings.observeMs);
		await clock.advance(timings.observeMs - 1);
		renew({}, { renewals: { b: 7 } });
		expect(state.silentSince('b')).toBeUndefined();
		expect(state.silentInMs('b')).toBe(1);
		await clock.advance(1);
		expect(state.silentSince('b')).toBe(7);
		expect(state.silentInMs('b')).toBe(0);
		state.unanswered();
		expect(state.silentInMs('b')).toBeUndefined();
		renew({}, { renewals: { b: 8 } });
		expect(state.silentSince('b')).toBeUndefined();
	});

	it('counts a node of which Redis has lost the renewals as silent after the same time', async () => {
		const { clock, state, renew } = setUp();
		renew({}, { renewals: { b: 7 } });
		await clock.advance(timings.observeMs);
		renew({});
		expect(state.silentSince('b')).toBeUndefined();
		await clock.advance(timings.observeMs);
		renew({});
		expect(state.silentSince('b')).toBe(0);
	});

	it('starts again after a renewal of its own without an answer, and with a new engine', async () => {
		const { clock, state, renew } = setUp();
		renew({}, { renewals: { b: 7 } });
		await clock.advance(timings.observeMs);
		state.unanswered();
		expect(state.silentSince('b')).toBeUndefined();
		renew({}, { renewals: { b: 7 } });
		expect(state.silentSince('b')).toBeUndefined();
		await clock.advance(timings.observeMs);
		expect(state.silentSince('b')).toBe(7);
		renew({}, { identity: 'two', renewals: { b: 7 } });
		expect(state.silentSince('b')).toBeUndefined();
	});

	it('is ripe once it has known the engine for the quiet period', async () => {
		const { clock, state, renew } = setUp();
		expect(state.ripe).toBe(false);
		renew({});
		await clock.advance(timings.quietMs - 1);
		expect(state.ripe).toBe(false);
		await clock.advance(1);
		expect([state.ripe, state.beginRenewal().ripe]).toEqual([true, true]);
		state.hear(state.beginRenewal(), { kind: 'engine', identity: 'two' });
		expect([state.ripe, state.identity]).toEqual([false, 'two']);
	});
});

describe('the timings', () => {
	it.each([1000, 1500, 6000, 15_000])('keep the relations that the rules need with a lease of %i ms', (leaseMs) => {
		const t = timingsFor({ leaseMs });
		expect(t.leaseMs).toBeGreaterThan(t.renewMs + t.gapMs + t.retryMs - 1);
		// A step of Redis' clock that is not noticed does not let a takeover begin before the holder is mute.
		expect(t.leaseMs + t.takeMarginMs - t.gapMs).toBeGreaterThanOrEqual(t.validMs);
		expect(t.doubtMs).toBeLessThan(t.gapMs);
		expect(t.quietMs).toBeGreaterThan(t.leaseMs);
		expect(t.observeMs).toBeGreaterThan(t.validMs);
	});

	it('are those of the design for the default lease, and leave room for the lag of replicas', () => {
		expect(timingsFor()).toEqual({
			leaseMs: 6000,
			validMs: 4500,
			quietMs: 7000,
			renewMs: 1500,
			retryMs: 500,
			takeMarginMs: 500,
			observeMs: 5000,
			gapMs: 2000,
			doubtMs: 1000,
		});
		expect(timingsFor({ maxLagMs: 2000 }).quietMs).toBe(8000);
	});
});
