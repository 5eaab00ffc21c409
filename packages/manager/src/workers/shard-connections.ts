// The connections of one process of a worker: the state of each shard's connection, since when, and with which code Discord ended it.
import type { Clock } from '@shardctl/core';
import type { ShardConnection } from './shard-status.js';

interface ConnectionState {
	connection: ShardConnection;
	since: number;
	closeCode: number | null;
}

export class ShardConnections {
	readonly #shardIds: readonly number[];
	readonly #clock: Pick<Clock, 'now'>;
	readonly #states = new Map<number, ConnectionState>();

	constructor(shardIds: readonly number[], clock: Pick<Clock, 'now'>) {
		this.#shardIds = shardIds;
		this.#clock = clock;
	}

	of(shardId: number): ShardConnection {
		return this.#states.get(shardId)?.connection ?? 'none';
	}

	/** When it came to be as it is, in ms since the epoch; undefined before the process has reported anything. */
	since(shardId: number): number | undefined {
		return this.#states.get(shardId)?.since;
	}

	/** The last close code; null once it is connected again. */
	closeCode(shardId: number): number | null {
		return this.#states.get(shardId)?.closeCode ?? null;
	}

	/** Whether the process has tried to connect a shard. */
	get haveBegun(): boolean {
		return this.#states.size > 0;
	}

	get areReady(): boolean {
		return this.#shardIds.every((shardId) => this.of(shardId) === 'ready');
	}

	/** Whether a shard waits for an identify slot. */
	get isAnyWaiting(): boolean {
		return [...this.#states.values()].some(({ connection }) => connection === 'waiting');
	}

	/** Without a code, the one before stays until the shard is ready. */
	set(shardId: number, connection: ShardConnection, closeCode: number | null = null): void {
		const before = this.#states.get(shardId);
		this.#states.set(shardId, {
			connection,
			since: before?.connection === connection ? before.since : this.#clock.now(),
			closeCode: connection === 'ready' ? null : (closeCode ?? before?.closeCode ?? null),
		});
	}
}
