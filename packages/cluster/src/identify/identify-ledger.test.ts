import type { IdentifyGrant } from '@shardctl/core';
import { fakeClock } from '@shardctl/test-support';
import { expect, it } from 'vitest';
import { IdentifyLedger, slotFreshMs } from './identify-ledger.js';
import type { IdentifyAnswer } from './identify-wire.js';

const redisTime = 5_000_000;

function setUp({ reserve = 0 } = {}) {
	const clock = fakeClock();
	let reported = 0;
	const ledger = new IdentifyLedger({ clock, reserve, onReport: () => reported++ });
	const answer = (changes: Partial<IdentifyAnswer> = {}): IdentifyAnswer => ({
		nonce: 'n',
		time: redisTime + clock.monotonic(),
		maxConcurrency: 1,
		total: 1000,
		remaining: 50,
		resetAt: redisTime + clock.monotonic() + 60_000,
		granted: 0,
		nextAt: undefined,
		results: [],
		etas: [],
		...changes,
	});
	const hear = (changes?: Partial<IdentifyAnswer>) => ledger.heard(answer(changes), clock.monotonic());
	const grants: IdentifyGrant[] = [];
	const ask = (shardId: number) => ledger.ask({ shardId, automatic: false }, (grant) => grants.push(grant));
	const slot = () => {
		const grant = grants.at(-1);
		if (!grant?.allowed) throw new Error('no slot');
		return grant.slot;
	};
	return { clock, ledger, answer, hear, ask, grants, slot, reported: () => reported };
}

it('reports each thing once, and again when the call that carried it has failed, in order', () => {
	const { ledger, ask } = setUp();
	ask(3);
	const lost = ledger.takeReports();
	expect(lost).toEqual([{ op: 'wait', request: 1, shard: 3, automatic: false, reserve: 0 }]);
	expect(ledger.hasReports).toBe(false);
	ask(4);
	ledger.putBack(lost);
	expect(ledger.takeReports().map((report) => 'request' in report && report.request)).toEqual([1, 2]);
});

it('passes a slot to its request and reports that it was received, sent and confirmed, once', () => {
	const { ledger, ask, hear, slot, reported } = setUp();
	ask(3);
	ledger.takeReports();
	hear({ results: [[1, '17']] });
	expect(slot()).toMatchObject({ id: 17, shardId: 3 });
	slot().sent();
	slot().sent();
	slot().release();
	slot().confirmed();
	expect(ledger.takeReports()).toEqual([
		{ op: 'got', request: 1 },
		{ op: 'sent', slot: '17' },
		{ op: 'confirmed', slot: '17' },
	]);
	expect(reported()).toBe(2);
});

it('returns a slot that arrives too late, and waits for another', async () => {
	const { clock, ledger, answer, ask, grants } = setUp();
	ask(3);
	ledger.takeReports();
	const sentAt = clock.monotonic();
	await clock.advance(slotFreshMs + 1);
	ledger.heard(answer({ results: [[1, '17']] }), sentAt);
	expect(grants).toEqual([]);
	expect(ledger.takeReports()).toEqual([
		{ op: 'got', request: 1 },
		{ op: 'release', slot: '17' },
		{ op: 'wait', request: 2, shard: 3, automatic: false, reserve: 0 },
	]);
});

it('returns the slot of a request that was withdrawn, also of one that had to wait for another slot', async () => {
	const { clock, ledger, answer, ask, hear, grants } = setUp();
	const withdraw = ask(3);
	const sentAt = clock.monotonic();
	await clock.advance(slotFreshMs + 1);
	ledger.heard(answer({ results: [[1, '17']] }), sentAt);
	ledger.takeReports();
	withdraw();
	withdraw();
	expect(ledger.takeReports()).toEqual([{ op: 'leave', request: 2 }]);
	expect(ledger.waits()).toEqual([]);
	// It was granted before Redis received the withdrawal.
	hear({ results: [[2, '18']] });
	expect(ledger.takeReports()).toEqual([
		{ op: 'got', request: 2 },
		{ op: 'release', slot: '18' },
	]);
	expect(grants).toEqual([]);
});

it('refuses with the time of the reset, by the clock here', async () => {
	const { clock, ask, hear, grants } = setUp();
	ask(3);
	hear({ results: [[1, 'refused']] });
	expect(grants).toEqual([{ allowed: false, retryInMs: 60_000, resetAt: clock.now() + 60_000 }]);
});

it('keeps the reserve, at most a tenth of the total, from automatic starts', () => {
	const { ledger, hear } = setUp({ reserve: 40 });
	expect(ledger.allows(1, { automatic: false }).allowed).toBe(false);
	hear({ remaining: 50, total: 1000 });
	expect([10, 11].map((count) => ledger.allows(count, { automatic: true }).allowed)).toEqual([true, false]);
	expect([50, 51].map((count) => ledger.allows(count, { automatic: false }).allowed)).toEqual([true, false]);
	hear({ remaining: 50, total: 100 });
	expect([40, 41].map((count) => ledger.allows(count, { automatic: true }).allowed)).toEqual([true, false]);
});

it('reports everything that it knows to a Redis that has lost it', async () => {
	const { clock, ledger, ask, hear } = setUp();
	hear({ maxConcurrency: 4, remaining: 77 });
	ask(3);
	ledger.takeReports();
	await clock.advance(20_000);
	hear({ nonce: 'another', maxConcurrency: undefined, total: 0, remaining: 0, resetAt: 0 });
	expect(ledger.takeReports()).toEqual([
		{ op: 'restore', total: 1000, remaining: 77, resetAfter: 40_000, maxConcurrency: 4 },
		{ op: 'wait', request: 1, shard: 3, automatic: false, reserve: 0 },
	]);
});

it('is due when the next slot is, at the latest after a second, and never while nothing waits or is granted', () => {
	const { clock, hear, ask, slot } = setUp();
	expect(hear()).toBeUndefined();
	ask(3);
	expect(hear()).toBe(1000);
	expect(hear({ nextAt: redisTime + clock.monotonic() + 300 })).toBe(300);
	expect(hear({ nextAt: redisTime - 300 })).toBe(0);
	expect(hear({ results: [[1, '17']] })).toBe(1000);
	slot().release();
	expect(hear()).toBeUndefined();
});

it('shows the waits by the clock here, soonest first', async () => {
	const { clock, ledger, ask, hear } = setUp();
	ask(3);
	ask(2);
	const at = redisTime + clock.monotonic();
	hear({
		etas: [
			[1, at + 5000],
			[2, at + 10_000],
		],
	});
	await clock.advance(6000);
	expect(ledger.waits()).toEqual([
		{ shardId: 3, etaMs: 0 },
		{ shardId: 2, etaMs: 4000 },
	]);
});
