// A log in files of bounded size and number: `name.log`, then `name.log.1` and so on; the oldest file is deleted. Written
// synchronously, so that the last lines of a manager that dies are in the file.
import { closeSync, fstatSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf, ShardctlError } from '@shardctl/core';

export interface LogFileBounds {
	/** A file that has grown beyond this is rotated (default 10 MiB). */
	maxBytes?: number;
	/** The largest number of files, the current one included (default 5). */
	maxFiles?: number;
	/** What is written in the place of lines that could not be written, once writing works again (default: nothing). */
	lossLine?(loss: { lines: number; code: string }): string;
}

export class LogFile {
	readonly path: string;
	readonly #maxBytes: number;
	readonly #maxFiles: number;
	#fd: number | undefined;
	#size = 0;
	readonly #lossLine: LogFileBounds['lossLine'];
	#loss: { lines: number; code: string } | undefined;
	/** A line was written in part. */
	#isMidLine = false;
	#closed = false;

	/** Throws `OPTIONS_INVALID` when the folder cannot be written. */
	constructor(folder: string, name: string, { maxBytes = 10 * 1024 * 1024, maxFiles = 5, lossLine }: LogFileBounds = {}) {
		this.path = join(folder, `${name}.log`);
		this.#maxBytes = maxBytes;
		this.#maxFiles = maxFiles;
		this.#lossLine = lossLine;
		try {
			mkdirSync(folder, { recursive: true, mode: 0o700 });
			this.#open();
		} catch (cause) {
			throw new ShardctlError('OPTIONS_INVALID', `the log folder ${folder} cannot be written: ${messageOf(cause)}`, { cause });
		}
	}

	/** Appends a line. A full disk loses lines, never the fleet; they are counted. */
	write(line: string): void {
		try {
			if (this.#size > this.#maxBytes) this.#rotate();
			// A file that could not be opened after its rotation is opened now.
			if (this.#fd === undefined && !this.#closed) this.#open();
			if (this.#loss || this.#isMidLine) {
				this.#append(`${this.#isMidLine ? '\n' : ''}${(this.#loss && this.#lossLine?.(this.#loss)) ?? ''}`);
				this.#loss = undefined;
			}
			this.#append(line);
		} catch (error) {
			const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
			this.#loss = { lines: (this.#loss?.lines ?? 0) + 1, code };
		}
	}

	/** A disk that is nearly full takes a part of the text; the next write says why. */
	#append(text: string): void {
		let rest = Buffer.from(text);
		while (rest.length > 0 && this.#fd !== undefined) {
			const written = writeSync(this.#fd, rest);
			this.#size += written;
			rest = rest.subarray(written);
			this.#isMidLine = rest.length > 0;
		}
	}

	close(): void {
		this.#closed = true;
		this.#closeFile();
	}

	#closeFile(): void {
		if (this.#fd !== undefined) closeSync(this.#fd);
		this.#fd = undefined;
	}

	#open(): void {
		this.#fd = openSync(this.path, 'a', 0o600);
		this.#size = fstatSync(this.#fd).size;
	}

	#rotate(): void {
		this.#closeFile();
		rmSync(`${this.path}.${this.#maxFiles - 1}`, { force: true });
		for (let index = this.#maxFiles - 2; index >= 0; index--) {
			const from = index === 0 ? this.path : `${this.path}.${index}`;
			try {
				renameSync(from, `${this.path}.${index + 1}`);
			} catch (error) {
				if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
			}
		}
		this.#open();
	}
}
