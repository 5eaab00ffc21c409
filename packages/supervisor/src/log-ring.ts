// The last lines of a child, bounded in number and in size, for `logs` and for crash reports.

export type LogStream = 'stdout' | 'stderr';

/** One line that a child wrote. */
export interface LogLine {
	stream: LogStream;
	/** Without its end of line. */
	line: string;
	/** Which incarnation wrote it. */
	epoch: number;
	/** The process id of that incarnation. */
	pid: number | null;
	/** Milliseconds since the epoch, when the line was complete here. */
	at: number;
}

/** Keeps the newest items within both bounds and forgets the oldest; the newest one is always kept. */
export class LogRing<T extends { line: string }> {
	readonly #maxLines: number;
	readonly #maxChars: number;
	#items: T[] = [];
	#first = 0;
	#chars = 0;

	constructor({ maxLines, maxChars }: { maxLines: number; maxChars: number }) {
		this.#maxLines = maxLines;
		this.#maxChars = maxChars;
	}

	push(item: T): void {
		this.#items.push(item);
		this.#chars += item.line.length;
		while (this.#length > 1 && (this.#length > this.#maxLines || this.#chars > this.#maxChars)) {
			this.#chars -= this.#items[this.#first]?.line.length ?? 0;
			this.#first++;
		}
		// Forgotten items are removed in bulk, so that a push costs the same on average however long the ring is.
		if (this.#first > this.#maxLines) {
			this.#items = this.#items.slice(this.#first);
			this.#first = 0;
		}
	}

	/** Oldest first. */
	toArray(): T[] {
		return this.#items.slice(this.#first);
	}

	get #length(): number {
		return this.#items.length - this.#first;
	}
}
