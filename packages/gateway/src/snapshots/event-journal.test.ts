import { EncodedDispatch } from '@shardctl/gateway-protocol';
import { expect, it } from 'vitest';
import { encodeBatch, journalHead, readJournal } from './event-journal.js';

const entry = (offset: number) => ({
	offset,
	event: EncodedDispatch.of('MESSAGE_CREATE', { id: String(offset), content: 'ä\n' }),
});
const whole = Buffer.concat([journalHead(7), encodeBatch([entry(8), entry(10)]), encodeBatch([entry(11)])]);
const offsets = (data: Uint8Array, cursor = 7) => Array.from(readJournal(data, cursor), ({ offset }) => offset);

it('gives back the events in order, as they were', () => {
	const [first] = readJournal(whole, 7);
	expect(first).toEqual({ offset: 8, t: 'MESSAGE_CREATE', d: { id: '8', content: 'ä\n' } });
	expect(offsets(whole)).toEqual([8, 10, 11]);
	expect(offsets(journalHead(7))).toEqual([]);
});

it('is of one snapshot alone', () => {
	expect(offsets(whole, 8)).toEqual([]);
	expect(offsets(Buffer.alloc(0))).toEqual([]);
});

it('ends before what is not whole, wherever it was cut off or damaged', () => {
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
