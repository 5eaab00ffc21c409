import { EncodedDispatch } from '@shardctl/gateway-protocol';
import { expect, it } from 'vitest';
import { dispatchOf, EventLog, type LogEntry } from './event-log.js';

const entry = (offset: number): LogEntry => ({
	offset,
	event: EncodedDispatch.of('MESSAGE_CREATE', { id: String(offset) }),
	data: undefined,
	guildId: '1',
	ownMember: false,
	coalesceKey: undefined,
	receivedAtMs: 0,
	tries: 0,
});

const filled = (...offsets: number[]): EventLog => {
	const log = new EventLog();
	for (const offset of offsets) log.push(entry(offset));
	return log;
};

it('finds the events behind a position, also when positions have gaps', () => {
	const log = filled(3, 4, 8, 9);
	expect([0, 3, 4, 7, 9].map((offset) => log.after(offset)?.offset)).toEqual([3, 4, 8, 8, undefined]);
	expect(log.between(3, 8).map(({ offset }) => offset)).toEqual([4, 8]);
	expect([log.countBetween(0, 100), log.countBetween(4, 8), log.countBetween(8, 4)]).toEqual([4, 1, 0]);
});

it('drops the oldest events and keeps its totals right, over many compactions', () => {
	const log = new EventLog();
	const given: (number | undefined)[] = [];
	for (let offset = 1; offset <= 10_000; offset++) {
		log.push(entry(offset));
		if (offset > 10) given.push(log.shift()?.offset);
	}
	expect(given).toEqual(Array.from({ length: 9990 }, (_, index) => index + 1));
	expect([log.size, log.oldest?.offset, log.after(9995)?.offset]).toEqual([10, 9991, 9996]);
	const bytes = log.bytes;
	log.push(entry(10_001));
	expect(log.bytes).toBe(bytes + entry(10_001).event.sizeBytes);
	for (let left = 0; left < 11; left++) log.shift();
	expect([log.size, log.bytes, log.shift()]).toEqual([0, 0, undefined]);
});

it('parses an event again from its text when the object was released', () => {
	expect(dispatchOf(entry(7))).toEqual({ t: 'MESSAGE_CREATE', d: { id: '7' } });
});
