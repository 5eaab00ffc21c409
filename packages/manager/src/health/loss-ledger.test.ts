import { fakeClock } from '@shardctl/test-support';
import { expect, it } from 'vitest';
import { LossLedger } from './loss-ledger.js';

it('B11: keeps the total and the last loss, though the process that counted is gone', async () => {
	const clock = fakeClock(1_000_000);
	const ledger = new LossLedger(clock);
	ledger.noteEvents([7], { 'worker-died': 23, expired: 2 });
	await clock.advance(5000);
	ledger.noteEvents([3], { 'buffer-full': 30 });
	expect(ledger.losses).toMatchObject({
		since: 1_000_000,
		events: 55,
		byReason: { 'worker-died': 23, 'buffer-full': 30, expired: 2, poisoned: 0 },
		last: { at: 1_005_000, reason: 'buffer-full', shardIds: [3], events: 30 },
	});
});

it('counts a session that follows an earlier one of the same shards, and not the first', () => {
	const ledger = new LossLedger(fakeClock(1_000_000));
	for (const shardIds of [
		[0, 1],
		[2, 3],
	])
		ledger.noteSession(shardIds);
	expect(ledger.losses).toMatchObject({ sessions: 0, last: null });
	ledger.noteSession([2, 3]);
	expect(ledger.losses).toMatchObject({
		sessions: 1,
		events: 0,
		last: { reason: 'session-replaced', shardIds: [2, 3], events: null },
	});
});
