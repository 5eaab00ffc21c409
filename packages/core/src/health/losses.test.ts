import fc from 'fast-check';
import { expect, it } from 'vitest';
import { eventLossReasons, type Loss } from '../contract/losses.js';
import { describeLosses, noLosses, withLoss } from './losses.js';

it('B11: sums the losses of every place, and keeps the last one', () => {
	const losses: Loss[] = [
		{ at: 10, reason: 'worker-died', shardIds: [1], events: 23 },
		{ at: 20, reason: 'buffer-full', shardIds: [2], events: 31 },
		{ at: 30, reason: 'session-replaced', shardIds: [5, 4], events: null },
		{ at: 40, reason: 'worker-died', shardIds: [0], events: 1 },
	];
	const total = losses.reduce(withLoss, noLosses(5));
	expect(total).toEqual({
		since: 5,
		events: 55,
		byReason: { 'worker-died': 24, 'buffer-full': 31, expired: 0, poisoned: 0 },
		sessions: 1,
		last: { at: 40, reason: 'worker-died', shardIds: [0], events: 1 },
	});
	expect(describeLosses(total)).toEqual({
		total: '55 events lost, 1 session replaced',
		last: 'shard 0: in flight to a worker that died',
	});
	expect(describeLosses(losses.slice(2, 3).reduce(withLoss, noLosses(5)))).toEqual({
		total: '1 session replaced',
		last: 'shards 4-5: Discord started a new session',
	});
	expect(describeLosses(noLosses(5))).toBeUndefined();
});

it('counts each event under one reason', () => {
	const loss = fc.record<Loss>({
		at: fc.nat(),
		reason: fc.constantFrom<Loss['reason']>(...eventLossReasons, 'session-replaced'),
		shardIds: fc.array(fc.nat(9), { minLength: 1 }),
		events: fc.option(fc.nat(100)),
	});
	fc.assert(
		fc.property(fc.array(loss), (losses) => {
			const { events, byReason, sessions } = losses.reduce(withLoss, noLosses(0));
			expect(Object.values(byReason).reduce((a, b) => a + b, 0)).toBe(events);
			expect(sessions).toBe(losses.filter(({ reason }) => reason === 'session-replaced').length);
		}),
	);
});
