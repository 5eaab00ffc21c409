// What the state has taken in since its snapshot, as bytes that are only ever added to: a snapshot of a large shard costs a tenth of
// a second, and Discord sends again only a few thousand events. Each batch has a checksum: what a dying process left half
// written, and whatever is damaged, ends the journal there, and Discord sends the rest again.
import { crc32 } from 'node:zlib';
import type { EncodedDispatch } from '@shardctl/gateway-protocol';
import type { Dispatch } from '../state/raw.js';

const form = 'shardctl-gateway-journal 1';
const lineBreak = 10;

export interface JournalEntry {
	readonly offset: number;
	readonly event: EncodedDispatch;
}

/** The first line: the journal goes on where this snapshot stands, and belongs to no other. */
export function journalHead(snapshotCursor: number): Uint8Array {
	return Buffer.from(`${form} ${snapshotCursor}\n`);
}

/** Some events, to be put behind what is there: a line with length and checksum, then a line each. */
export function encodeBatch(entries: readonly JournalEntry[]): Uint8Array {
	let text = '';
	for (const { offset, event } of entries) text += `${event.frame(offset)}\n`;
	const events = Buffer.from(text);
	return Buffer.concat([Buffer.from(`${events.length} ${crc32(events)}\n`), events]);
}

/** The events behind a snapshot, as far as they are whole; none when the journal belongs to another. */
export function* readJournal(data: Uint8Array, snapshotCursor: number): Generator<Dispatch & { offset: number }> {
	const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
	const head = Buffer.from(journalHead(snapshotCursor));
	if (!bytes.subarray(0, head.length).equals(head)) return;
	for (let at = head.length; at < bytes.length; ) {
		const begin = bytes.indexOf(lineBreak, at) + 1;
		const [length, checksum] = bytes.subarray(at, begin).toString().split(' ').map(Number) as [number, number];
		const events = bytes.subarray(begin, begin + length);
		if (begin === 0 || events.length !== length || crc32(events) !== checksum) return;
		for (const line of events.toString().split('\n')) {
			if (line === '') continue;
			const { s, t, d } = JSON.parse(line) as { s: number; t: string; d: unknown };
			yield { offset: s, t, d };
		}
		at = begin + length;
	}
}
