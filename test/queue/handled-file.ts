// What the workers of a group have handled, as they append it to their file (`fixtures/appending-worker.mjs`): judged as it grows, so that
// millions of messages fit. A worker appends a line before it handles the next message of the guild, so the file has them in order.
import { closeSync, openSync, readSync } from 'node:fs';
import { onTestFinished } from 'vitest';

export class HandledFile {
	/** Messages that were handled, each counted once. */
	distinct = 0;
	/** Of each line that repeats a message: the process that had handled it first. */
	readonly repeatedOf: number[] = [];
	/** Messages that were handled before the one that precedes them. */
	readonly gaps: string[] = [];
	/** By guild: which process handled each number first. */
	readonly #firstBy = new Map<number, number[]>();
	readonly #newest = new Map<number, number>();
	readonly #fd: number;
	readonly #buffer = Buffer.alloc(1 << 20);
	#offset = 0;
	#rest = '';

	constructor(path: string) {
		this.#fd = openSync(path, 'a+');
		onTestFinished(() => closeSync(this.#fd));
	}

	/** Takes in what was appended since the last call, and returns {@link distinct}. */
	read(): number {
		for (;;) {
			const count = readSync(this.#fd, this.#buffer, 0, this.#buffer.length, this.#offset);
			if (count === 0) return this.distinct;
			this.#offset += count;
			const lines = (this.#rest + this.#buffer.toString('latin1', 0, count)).split('\n');
			this.#rest = lines.pop() ?? '';
			for (const line of lines) this.#take(line);
		}
	}

	/** The greatest number of a guild that was handled. */
	newestOf(guild: number): number {
		return this.#newest.get(guild) ?? 0;
	}

	#take(line: string): void {
		const [guild, n, pid] = line.split(/[: ]/).map(Number) as [number, number, number];
		let firstBy = this.#firstBy.get(guild);
		if (!firstBy) {
			firstBy = [];
			this.#firstBy.set(guild, firstBy);
		}
		const by = firstBy[n];
		if (by !== undefined) {
			this.repeatedOf.push(by);
			return;
		}
		firstBy[n] = pid;
		this.distinct++;
		const newest = this.newestOf(guild);
		if (n !== newest + 1) this.gaps.push(`guild ${guild}: ${n} after ${newest}`);
		if (n > newest) this.#newest.set(guild, n);
	}
}
