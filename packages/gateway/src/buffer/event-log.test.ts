import v8 from 'node:v8';
import vm from 'node:vm';
import { EncodedDispatch } from '@shardctl/gateway-protocol';
import fc from 'fast-check';
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

it('drops the oldest events and keeps its totals right, over many turns of the ring', () => {
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

it('is a list of events that are found, counted and taken out in any order of calls', () => {
	const step = fc.oneof(
		fc.record({ push: fc.integer({ min: 1, max: 100 }) }),
		fc.record({ shift: fc.integer({ min: 1, max: 100 }) }),
		fc.record({ removeAfter: fc.nat(1000), every: fc.integer({ min: 1, max: 4 }) }),
	);
	fc.assert(
		fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
			const log = new EventLog();
			let model: number[] = [];
			let newest = 0;
			const taken: (number | undefined)[][] = [];
			for (const each of steps) {
				if ('push' in each) {
					for (let n = 0; n < each.push; n++) {
						newest += 1 + (n % 3);
						log.push(entry(newest));
						model.push(newest);
					}
				} else if ('shift' in each) {
					for (let n = 0; n < each.shift; n++) taken.push([log.shift()?.offset, model.shift()]);
				} else {
					const isGone = (offset: number) => offset > each.removeAfter && offset % each.every === 0;
					log.removeNewestFirst(each.removeAfter, ({ offset }) => isGone(offset));
					model = model.filter((offset) => !isGone(offset));
				}
				const middle = model[model.length >> 1] ?? 0;
				expect(log.between(0, newest).map(({ offset }) => offset)).toEqual(model);
				expect([log.size, log.oldest?.offset, log.after(middle)?.offset, log.countBetween(middle, newest)]).toEqual([
					model.length,
					model[0],
					model.find((offset) => offset > middle),
					model.filter((offset) => offset > middle).length,
				]);
				expect(log.bytes).toBe(model.reduce((sum, offset) => sum + entry(offset).event.sizeBytes, 0));
			}
			expect(taken.filter(([given, expected]) => given !== expected)).toEqual([]);
		}),
		{ numRuns: 50 },
	);
});

it('keeps no more of the events that have left it alive than a plain ring does', () => {
	v8.setFlagsFromString('--expose-gc');
	const collect = vm.runInNewContext('gc') as (options?: { type: 'minor' }) => void;
	const oldBytes = () => v8.getHeapSpaceStatistics().find(({ space_name: name }) => name === 'old_space')?.space_used_size ?? 0;
	const capacity = 300;
	/** By how many bytes the old generation grows while many events pass. */
	const growth = (pass: (each: LogEntry) => void): number => {
		let offset = 0;
		const passAll = (events: number) => {
			for (let n = 0; n < events; n++) {
				pass({ ...entry(++offset), data: Array.from({ length: 100 }, () => offset) });
				// No event is kept during two of them, which would make it one of the old generation.
				if (offset % (capacity + 100) === 0) collect({ type: 'minor' });
			}
		};
		passAll(10_000);
		collect();
		const before = oldBytes();
		passAll(40_000);
		return oldBytes() - before;
	};
	const ring: LogEntry[] = [];
	const byRing = growth((each) => {
		ring[each.offset % capacity] = each;
	});
	const log = new EventLog();
	const byLog = growth((each) => {
		log.push(each);
		if (log.size > capacity) log.shift();
	});
	// The events that passed hold 40 MB.
	expect((byLog - byRing) / 2 ** 20).toBeLessThan(20);
});
