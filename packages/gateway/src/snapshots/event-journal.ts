// The events that the state has applied since its snapshot, in an append-only form: a snapshot of a large shard costs a tenth of a second,
// and Discord repeats only a few thousand events. Each batch has a checksum. A batch that is incomplete or damaged ends the journal there,
// and Discord sends the rest again.
import { crc32 } from 'node:zlib';
import type { EncodedDispatch } from '@shardctl/gateway-protocol';
import type { Dispatch } from '../state/raw.js';

const form = 'shardctl-gateway-journal 2';
const lineBreak = 10;

/** Events that were appended together. */
export interface SavedBatch {
	readonly events: readonly (Dispatch & { offset: number })[];
	/** Position through which every event of the shard is in the journal by now; it may be far behind the last of them. */
	readonly through: number;
	/** How many bytes of the journal lead up to its end. */
	readonly end: number;
}

export interface JournalEntry {
	readonly offset: number;
	readonly event: EncodedDispatch;
}

/** The first line: the cursor of the snapshot that the journal continues. It belongs to no other snapshot. */
export function journalHead(snapshotCursor: number): Uint8Array {
	return Buffer.from(`${form} ${snapshotCursor}\n`);
}

const leastBytes = 64 * 1024;
/** A buffer that grew beyond this is not kept. */
const mostKeptBytes = 1024 * 1024;

/**
 * Events that wait to be appended: a line with length, checksum and position, then a line each. They wait as bytes: as strings
 * they would outlive a garbage collection, which costs more than all else about them.
 */
export class JournalBatch {
	#bytes = Buffer.allocUnsafeSlow(leastBytes);
	#length = 0;
	#size = 0;

	/** Events that are not yet taken. */
	get size(): number {
		return this.#size;
	}

	add({ offset, event }: JournalEntry): void {
		const frame = event.frame(offset);
		this.#makeRoom(mostBytesOf(frame) + 1);
		this.#length += this.#bytes.write(frame, this.#length);
		this.#bytes[this.#length++] = lineBreak;
		this.#size++;
	}

	/** What waits, ready to be written; from now on nothing waits. `through`: as {@link SavedBatch} has it. */
	take(through: number): Uint8Array {
		const events = this.#bytes.subarray(0, this.#length);
		const batch = Buffer.concat([Buffer.from(`${events.length} ${checksum(events, through)} ${through}\n`), events]);
		this.clear();
		return batch;
	}

	clear(): void {
		this.#length = 0;
		this.#size = 0;
		if (this.#bytes.length > mostKeptBytes) this.#bytes = Buffer.allocUnsafeSlow(leastBytes);
	}

	#makeRoom(bytes: number): void {
		const needed = this.#length + bytes;
		if (needed <= this.#bytes.length) return;
		const larger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#bytes.length));
		this.#bytes.copy(larger, 0, 0, this.#length);
		this.#bytes = larger;
	}
}

/** In UTF-8; counting them would take as long as writing them. */
function mostBytesOf(text: string): number {
	return 3 * text.length;
}

/** Whether a journal continues the snapshot with this cursor, and no other. */
export function isJournalOf(data: Uint8Array, snapshotCursor: number): boolean {
	const head = journalHead(snapshotCursor);
	return Buffer.compare(data.subarray(0, head.length), head) === 0;
}

/**
 * The events behind a snapshot, as far as they are whole; none when the journal belongs to another.
 *
 * @param from Only the batches from this {@link SavedBatch.end} on.
 */
export function* readJournal(
	data: Uint8Array,
	snapshotCursor: number,
	from = journalHead(snapshotCursor).length,
): Generator<SavedBatch> {
	const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
	if (!isJournalOf(bytes, snapshotCursor)) return;
	for (let at = from; at < bytes.length; ) {
		const begin = bytes.indexOf(lineBreak, at) + 1;
		const line = bytes.subarray(at, begin).toString();
		const [length, sum, through] = line.split(' ').map(Number) as [number, number, number];
		const events = bytes.subarray(begin, begin + length);
		if (begin === 0 || events.length !== length || checksum(events, through) !== sum) return;
		at = begin + length;
		yield { events: [...parseLines(events)], through, end: at };
	}
}

function* parseLines(events: Buffer): Generator<Dispatch & { offset: number }> {
	for (const line of events.toString().split('\n')) {
		if (line === '') continue;
		const { s, t, d } = JSON.parse(line) as { s: number; t: string; d: unknown };
		yield { offset: s, t, d };
	}
}

function checksum(events: Uint8Array, through: number): number {
	return crc32(String(through), crc32(events));
}
