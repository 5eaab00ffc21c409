// Snapshots as files of a folder that only this user can read. Each is written beside its place and moved there, which the file
// system does at once.
import { appendFile, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SnapshotStore } from './snapshot-store.js';

export class FileSnapshotStore implements SnapshotStore {
	readonly #folder: string;
	#writes = 0;

	constructor(folder: string) {
		this.#folder = folder;
	}

	async read(name: string): Promise<Uint8Array | undefined> {
		try {
			return await readFile(join(this.#folder, name));
		} catch (error) {
			if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
			throw error;
		}
	}

	async write(name: string, data: Uint8Array | readonly Uint8Array[]): Promise<void> {
		await mkdir(this.#folder, { recursive: true, mode: 0o700 });
		const beside = join(this.#folder, `.${name}.${process.pid}.${++this.#writes}`);
		try {
			await writeFile(beside, data, { mode: 0o600 });
			await rename(beside, join(this.#folder, name));
		} catch (error) {
			await rm(beside, { force: true }).catch(() => {});
			throw error;
		}
	}

	append(name: string, data: Uint8Array): Promise<void> {
		return appendFile(join(this.#folder, name), data, { mode: 0o600 });
	}

	async remove(name: string): Promise<void> {
		await rm(join(this.#folder, name), { force: true });
	}
}
