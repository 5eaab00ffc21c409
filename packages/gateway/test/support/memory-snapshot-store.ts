// A snapshot store in memory, for tests: stores that are made with the same content share it, as processes share a folder.
import { compareFences, fencedError, type SnapshotStore } from '@shardctl/core';

export class MemoryContent {
	fence = '0';
	readonly files = new Map<string, Uint8Array>();
}

export class MemorySnapshotStore implements SnapshotStore {
	readonly #content: MemoryContent;

	constructor(content = new MemoryContent()) {
		this.#content = content;
	}

	async claim(fence: string): Promise<void> {
		const content = this.#content;
		if (compareFences(fence, content.fence) < 0) throw fencedError(fence, content.fence);
		content.fence = fence;
	}

	async read(name: string): Promise<Uint8Array | undefined> {
		return this.#content.files.get(name);
	}

	async write(name: string, data: Uint8Array | readonly Uint8Array[], fence: string): Promise<void> {
		await this.claim(fence);
		this.#content.files.set(name, data instanceof Uint8Array ? data : Buffer.concat(data));
	}

	async append(name: string, data: Uint8Array, fence: string): Promise<void> {
		await this.claim(fence);
		this.#content.files.set(name, Buffer.concat([this.#content.files.get(name) ?? Buffer.alloc(0), data]));
	}

	async remove(name: string, fence: string): Promise<void> {
		await this.claim(fence);
		this.#content.files.delete(name);
	}
}
