// Snapshots as files that only this user can read, in a folder named for the fence of their holder: `<folder>/<fence>/<name>`. A new
// holder claims them by renaming that folder, which the file system does atomically; the path of the holder before it then no longer
// exists, so its writes fail. Each file is written under another name and renamed, for the same reason. What a new holder continues is
// copied first: the holder before it may have the file open, and what it adds then goes to the former file.
import { appendFile, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { compareFences, fencedError, isFence, ShardctlError, type SnapshotStore } from '@shardctl/core';
import { generationOf, type SavedScope } from './saved-names.js';

export class FileSnapshotStore implements SnapshotStore {
	readonly #folder: string;
	#writes = 0;
	/** Names that were read and not written since: how many bytes were there. */
	readonly #inherited = new Map<string, number>();

	constructor(folder: string) {
		this.#folder = folder;
	}

	/** A fence above every one that was claimed here. For a folder that a lock gives to one manager at a time. */
	async nextFence(): Promise<string> {
		return String(BigInt((await this.#fences()).at(-1) ?? '0') + 1n);
	}

	/** Files of versions that had no folder per holder. They are ignored. */
	async formerFiles(): Promise<string[]> {
		return (await this.#names()).filter((name) => /^shard-\d+/.test(name));
	}

	async claim(fence: string): Promise<void> {
		for (;;) {
			const present = (await this.#fences()).at(-1);
			if (present === fence) return;
			if (present === undefined) {
				await mkdir(join(this.#folder, fence), { recursive: true, mode: 0o700 });
				return;
			}
			if (compareFences(fence, present) < 0) throw fencedError(fence, present);
			try {
				await rename(join(this.#folder, present), join(this.#folder, fence));
				return;
			} catch (error) {
				// Another holder was faster; its fence is compared in the next round.
				if (!isMissing(error)) throw error;
			}
		}
	}

	async read(name: string, { keep = false } = {}): Promise<Uint8Array | undefined> {
		for (;;) {
			const present = (await this.#fences()).at(-1);
			if (present === undefined) return undefined;
			try {
				const data = await readFile(join(this.#folder, present, name));
				if (!keep) this.#inherited.set(name, data.length);
				return data;
			} catch (error) {
				if (!isMissing(error)) throw error;
				if ((await this.#fences()).at(-1) === present) return undefined;
			}
		}
	}

	async write(name: string, data: Uint8Array | readonly Uint8Array[], fence: string): Promise<void> {
		await this.#as(fence, (folder) => this.#replace(folder, name, data));
		this.#inherited.delete(name);
	}

	async append(name: string, data: Uint8Array, fence: string): Promise<void> {
		const inherited = this.#inherited.get(name);
		await this.#as(fence, async (folder) => {
			if (inherited === undefined) return appendFile(join(folder, name), data, { mode: 0o600 });
			const former = await readFile(join(folder, name));
			if (former.length < inherited) {
				throw new ShardctlError(
					'SNAPSHOT_INVALID',
					`${join(folder, name)} has ${former.length} bytes, and had ${inherited} when it was read: a new snapshot is needed`,
				);
			}
			await this.#replace(folder, name, [former.subarray(0, inherited), data]);
		});
		this.#inherited.delete(name);
	}

	async remove(name: string, fence: string): Promise<void> {
		await this.#as(fence, async (folder) => {
			await rm(join(folder, name)).catch(async (error: unknown) => {
				if (!isMissing(error)) throw error;
				// Nothing of that name, or no folder any more.
				if ((await this.#fences()).at(-1) !== fence) throw error;
			});
		});
	}

	/**
	 * Removes what was saved of shards of other generations of the layout: a process that died while they were replaced has left it, and a
	 * later fleet with a generation of the same number must not continue with it. For the holder.
	 */
	async keepGeneration({ bot, generation }: SavedScope, fence: string): Promise<void> {
		const folder = join(this.#folder, fence);
		const names = await readdir(folder).catch(() => []);
		const others = names.filter((name) => {
			const of = generationOf(name, bot);
			return of !== undefined && of !== generation;
		});
		await Promise.all(others.map((name) => rm(join(folder, name), { force: true })));
	}

	async #replace(folder: string, name: string, data: Uint8Array | readonly Uint8Array[]): Promise<void> {
		const temporary = join(folder, `.${name}.${process.pid}.${++this.#writes}`);
		try {
			await writeFile(temporary, data, { mode: 0o600 });
			await rename(temporary, join(folder, name));
		} catch (error) {
			await rm(temporary, { force: true }).catch(() => {});
			throw error;
		}
	}

	/** Works in the folder of this fence; claims it where it does not exist. */
	async #as(fence: string, work: (folder: string) => Promise<void>): Promise<void> {
		const folder = join(this.#folder, fence);
		try {
			await work(folder);
		} catch (error) {
			if (!isMissing(error)) throw error;
			await this.claim(fence);
			await work(folder);
		}
	}

	/** The fences that have a folder, oldest first. There is one, unless folders were added by hand. */
	async #fences(): Promise<string[]> {
		return (await this.#names()).filter(isFence).sort(compareFences);
	}

	async #names(): Promise<string[]> {
		try {
			return await readdir(this.#folder);
		} catch (error) {
			if (isMissing(error)) return [];
			throw error;
		}
	}
}

function isMissing(error: unknown): boolean {
	return (error as NodeJS.ErrnoException).code === 'ENOENT';
}
