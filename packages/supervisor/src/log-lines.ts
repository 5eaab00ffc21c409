// Turns the chunks of one stream into whole lines. One splitter per stream, so that lines of two streams are never mixed; a
// line is decoded only when it is complete, so that a character cut in two by a chunk stays whole.

const newline = 0x0a;
const carriageReturn = 0x0d;

/** Of output that was left out, how much of the end is looked at when the stream is over: a child's last words say why it died. */
const lastWordsBytes = 16 * 1024;

export interface LineSplitterOptions {
	/** The longest line; the rest of a longer one is counted, not kept. */
	maxBytes: number;
	onLine(line: string): void;
	/** What may be made into lines (default: everything). */
	budget?: { readonly hasRoom: boolean; spend(bytes: number): void };
	/** So many lines were there beyond the budget. */
	onLeftOut?(lines: number): void;
}

/** Splits one byte stream into lines of UTF-8 text. */
export class LineSplitter {
	readonly #maxBytes: number;
	readonly #onLine: (line: string) => void;
	readonly #budget: LineSplitterOptions['budget'];
	readonly #onLeftOut: (lines: number) => void;
	/** The end of what was left out last, up to a newline; null when lines followed. Its first line may be `cut`. */
	#leftOut: { bytes: Buffer; cut: boolean } | null = null;
	/** The bytes of a line whose end has not come yet; at most `maxBytes` in all. */
	#held: Buffer[] = [];
	#heldBytes = 0;
	#cutBytes = 0;

	constructor({ maxBytes, onLine, budget, onLeftOut = () => {} }: LineSplitterOptions) {
		this.#maxBytes = maxBytes;
		this.#onLine = onLine;
		this.#budget = budget;
		this.#onLeftOut = onLeftOut;
	}

	write(chunk: Buffer): void {
		let start = 0;
		for (;;) {
			// A newline byte is never part of a longer character in UTF-8, so bytes can be searched before they are decoded.
			const end = chunk.indexOf(newline, start);
			if (end === -1) break;
			if (this.#budget && !this.#budget.hasRoom) {
				start = this.#leaveOut(chunk, start);
				break;
			}
			this.#hold(chunk.subarray(start, end));
			this.#emit();
			start = end + 1;
		}
		if (start < chunk.length) this.#hold(chunk.subarray(start));
	}

	/** The stream is over: what is left without an end of line is a line too. */
	end(): void {
		if (this.#leftOut) this.#emitLastWords(this.#leftOut);
		if (this.#heldBytes + this.#cutBytes > 0) this.#emit();
	}

	/** Counts the lines from `start` on that are whole, with the one that is held; returns where the next one begins. */
	#leaveOut(chunk: Buffer, start: number): number {
		const end = chunk.lastIndexOf(newline) + 1;
		let lines = 0;
		// A search for each newline would cost more than a look at each byte: a flood mostly consists of short lines.
		for (let index = start; index < end; index++) if (chunk[index] === newline) lines++;
		this.#leftOut = this.#lastWords(chunk.subarray(start, end));
		this.#held = [];
		this.#heldBytes = 0;
		this.#cutBytes = 0;
		this.#onLeftOut(lines);
		return end;
	}

	/** The end of what was left out, with these bytes, which may begin in the middle of a line: last words can arrive in several chunks. */
	#lastWords(bytes: Buffer): { bytes: Buffer; cut: boolean } {
		const isLineCut = this.#cutBytes > 0;
		if (bytes.length >= lastWordsBytes || isLineCut) {
			const end = bytes.subarray(-lastWordsBytes);
			return { bytes: end, cut: end.length < bytes.length || isLineCut || this.#heldBytes > 0 };
		}
		const before = this.#leftOut;
		const all = Buffer.concat([...(before ? [before.bytes] : []), ...this.#held, bytes]);
		const end = all.subarray(-lastWordsBytes);
		return { bytes: end, cut: end.length < all.length || before?.cut === true };
	}

	/** Lines that were left out already, so they are counted back. */
	#emitLastWords({ bytes, cut }: { bytes: Buffer; cut: boolean }): void {
		this.#leftOut = null;
		const lines = bytes
			.toString('utf8')
			.split(/\r?\n/)
			.slice(cut ? 1 : 0, -1);
		this.#onLeftOut(-lines.length);
		for (const line of lines) this.#onLine(line);
	}

	#hold(bytes: Buffer): void {
		const kept = bytes.subarray(0, this.#maxBytes - this.#heldBytes);
		if (kept.length > 0) this.#held.push(kept);
		this.#heldBytes += kept.length;
		this.#cutBytes += bytes.length - kept.length;
	}

	#emit(): void {
		let bytes = this.#held.length === 1 ? (this.#held[0] as Buffer) : Buffer.concat(this.#held, this.#heldBytes);
		let cutBytes = this.#cutBytes;
		this.#budget?.spend(bytes.length);
		this.#leftOut = null;
		this.#held = [];
		this.#heldBytes = 0;
		this.#cutBytes = 0;
		if (cutBytes === 0) {
			if (bytes.at(-1) === carriageReturn) bytes = bytes.subarray(0, -1);
			this.#onLine(bytes.toString('utf8'));
			return;
		}
		const whole = wholeCharacters(bytes);
		cutBytes += bytes.length - whole.length;
		this.#onLine(`${whole.toString('utf8')} … [cut: ${cutBytes} more bytes]`);
	}
}

/** `bytes` without a last character that is there only in part. */
function wholeCharacters(bytes: Buffer): Buffer {
	let start = bytes.length - 1;
	while (start > 0 && start > bytes.length - 4 && ((bytes[start] ?? 0) & 0xc0) === 0x80) start--;
	const lead = bytes[start] ?? 0;
	const needed = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
	return start + needed > bytes.length ? bytes.subarray(0, start) : bytes;
}
