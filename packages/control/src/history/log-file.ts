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
}

export class LogFile {
	readonly path: string;
	readonly #maxBytes: number;
	readonly #maxFiles: number;
	#fd: number | undefined;
	#size = 0;

	/** Throws `OPTIONS_INVALID` when the folder cannot be written. */
	constructor(folder: string, name: string, { maxBytes = 10 * 1024 * 1024, maxFiles = 5 }: LogFileBounds = {}) {
		this.path = join(folder, `${name}.log`);
		this.#maxBytes = maxBytes;
		this.#maxFiles = maxFiles;
		try {
			mkdirSync(folder, { recursive: true, mode: 0o700 });
			this.#open();
		} catch (cause) {
			throw new ShardctlError('OPTIONS_INVALID', `the log folder ${folder} cannot be written: ${messageOf(cause)}`, { cause });
		}
	}

	/** Appends a line. A full disk loses lines, never the fleet. */
	write(line: string): void {
		try {
			if (this.#size > this.#maxBytes) this.#rotate();
			if (this.#fd !== undefined) this.#size += writeSync(this.#fd, line);
		} catch {
			// There is no other place to report it.
		}
	}

	close(): void {
		if (this.#fd !== undefined) closeSync(this.#fd);
		this.#fd = undefined;
	}

	#open(): void {
		this.#fd = openSync(this.path, 'a', 0o600);
		this.#size = fstatSync(this.#fd).size;
	}

	#rotate(): void {
		this.close();
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
