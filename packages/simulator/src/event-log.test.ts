import { fakeClock } from '@shardctl/test-support';
import { expect, test } from 'vitest';
import { EventLog } from './event-log.js';

test('filters entries by type, shard, connection, number and count', async () => {
	const clock = fakeClock(1000);
	const log = new EventLog(clock, 100);
	log.add('identify', { shardId: 0, connectionId: 1 });
	await clock.advance(5);
	log.add('close', { shardId: 0, connectionId: 1 });
	log.add('identify', { shardId: 1, connectionId: 2 });
	const numbers = (filter: Parameters<EventLog['entries']>[0]) => log.entries(filter).map(({ number }) => number);
	expect(numbers({})).toEqual([1, 2, 3]);
	expect(numbers({ type: 'identify' })).toEqual([1, 3]);
	expect(numbers({ type: ['close', 'identify'], shardId: 0 })).toEqual([1, 2]);
	expect(numbers({ connectionId: 2 })).toEqual([3]);
	expect(numbers({ after: 1, limit: 1 })).toEqual([3]);
	expect(log.entries()[1]).toMatchObject({ at: 1005, monotonicMs: 5 });
});

test('is bounded and counts dropped entries', () => {
	const log = new EventLog(fakeClock(), 10);
	for (let n = 0; n < 25; n++) log.add('rest', {});
	expect(log.entries().length).toBeLessThanOrEqual(11);
	expect(log.dropped + log.entries().length).toBe(25);
	expect(log.entries().at(-1)?.number).toBe(25);
});
