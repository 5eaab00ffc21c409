import { EncodedDispatch } from '@shardctl/gateway-protocol';
import { expect, it } from 'vitest';
import { JournalBatch, journalHead, readJournal } from './event-journal.js';

const entry = (offset: number) => ({
	offset,
	event: EncodedDispatch.of('MESSAGE_CREATE', { id: String(offset), content: 'ä\n' }),
});
function encodeBatch(entries: readonly ReturnType<typeof entry>[]): Uint8Array {
	const batch = new JournalBatch();
	for (const each of entries) batch.add(each);
	return batch.take(entries.at(-1)?.offset ?? 0);
}
const whole = Buffer.concat([journalHead(7), encodeBatch([entry(8), entry(10)]), encodeBatch([entry(11)])]);
const offsets = (data: Uint8Array, cursor = 7) =>
	[...readJournal(data, cursor)].flatMap(({ events }) => events.map(({ offset }) => offset));

it('returns the events in order, unchanged', () => {
	const [first] = readJournal(whole, 7);
	expect(first?.events[0]).toEqual({ offset: 8, t: 'MESSAGE_CREATE', d: { id: '8', content: 'ä\n' } });
	expect(offsets(whole)).toEqual([8, 10, 11]);
	expect(offsets(journalHead(7))).toEqual([]);
});

it('accepts any number of events, and starts empty after a take', () => {
	const batch = new JournalBatch();
	const large = EncodedDispatch.of('MESSAGE_CREATE', { content: 'ä'.repeat(700_000) });
	for (const offset of [8, 9]) batch.add({ offset, event: large });
	expect(batch.size).toBe(2);
	const first = batch.take(9);
	batch.add(entry(10));
	expect(offsets(Buffer.concat([journalHead(7), first, batch.take(10)]))).toEqual([8, 9, 10]);
	expect(batch.size).toBe(0);
});

it('belongs to one snapshot only', () => {
	expect(offsets(whole, 8)).toEqual([]);
	expect(offsets(Buffer.alloc(0))).toEqual([]);
});

it('ends before an incomplete record, wherever it was truncated or damaged', () => {
	const firstEnds = journalHead(7).length + encodeBatch([entry(8), entry(10)]).length;
	for (let length = 0; length < whole.length; length++) {
		expect(offsets(whole.subarray(0, length))).toEqual(length < firstEnds ? [] : [8, 10]);
	}
	for (let at = firstEnds; at < whole.length; at++) {
		const damaged = Buffer.from(whole);
		damaged[at] = (damaged[at] as number) ^ 1;
		expect(offsets(damaged)).toEqual([8, 10]);
	}
});

it("records the shard's position, also when its session continued without it", () => {
	const through = (data: Uint8Array) => Array.from(readJournal(data, 7), (batch) => batch.through);
	expect(through(Buffer.concat([whole, new JournalBatch().take(500)]))).toEqual([10, 11, 500]);
});
