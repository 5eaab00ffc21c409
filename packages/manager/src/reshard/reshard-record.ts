// What the next manager of this name has to know of a resharding: with which sessions the fleet continues after its manager was killed,
// and whether it was in the middle. A fleet that is stopped begins with its options again.
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import type { Layout } from '@shardctl/core';

const version = 2;

export interface ReshardTarget {
	sessions: number;
	shards: number;
}

export interface ReshardState {
	/** See `botKey`. */
	bot: string;
	layout: Layout;
	/** Shard ids per gateway process, of which each has the files of its own shards. */
	gateways: number[][];
	/** The shard count that its options had led to; absent where that is the one of the layout. */
	planned?: number;
	/** The counts that it is on its way to; null when it has arrived, or has ended on the way. */
	target: ReshardTarget | null;
}

export class ReshardRecord {
	readonly #file: string | undefined;

	/** @param file Undefined for a manager without a name of its own, which no other one continues. */
	constructor(file: string | undefined) {
		this.#file = file;
	}

	/** Undefined where nothing was written, or what was is damaged. */
	read(): ReshardState | undefined {
		if (this.#file === undefined) return undefined;
		try {
			const { version: found, ...state } = JSON.parse(readFileSync(this.#file, 'utf8')) as ReshardState & { version: number };
			return found === version && Array.isArray(state.gateways) && typeof state.layout?.sessions === 'number' ? state : undefined;
		} catch {
			return undefined;
		}
	}

	write(state: ReshardState): void {
		if (this.#file === undefined) return;
		const temporary = `${this.#file}.new`;
		writeFileSync(temporary, JSON.stringify({ version, ...state }), { mode: 0o600 });
		renameSync(temporary, this.#file);
	}

	remove(): void {
		if (this.#file !== undefined) rmSync(this.#file, { force: true });
	}
}
