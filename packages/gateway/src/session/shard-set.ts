// The shards that a session carries, under one shard count of the workers: which of them an event is for, and which guilds of READY are
// whose.
import type { Dispatch, RawObject } from '../state/raw.js';
import { readyOfShard, shardOfEvent } from './event-routing.js';

/** What a set needs of a shard. */
export interface SetShard {
	readonly id: number;
	receive(dispatch: Dispatch, position: number): void;
	beginSession(ready: RawObject, position: number, intents: number): void;
}

export class ShardSet<Shard extends SetShard> {
	/** Ascending. */
	readonly shards: readonly Shard[];
	/** The shard count that the workers of these shards see. */
	readonly totalShards: number;
	readonly #session: number;
	/** Set where the session carries one shard: nothing has to be divided then. */
	readonly #onlyShard: Shard | undefined;
	readonly #byId: ReadonlyMap<number, Shard>;

	/** @param session The shard id that Discord knows. */
	constructor(shards: readonly Shard[], { totalShards, session }: { totalShards: number; session: number }) {
		this.shards = shards;
		this.totalShards = totalShards;
		this.#session = session;
		this.#onlyShard = shards.length === 1 ? shards[0] : undefined;
		this.#byId = new Map(shards.map((shard) => [shard.id, shard]));
	}

	get shardIds(): number[] {
		return this.shards.map(({ id }) => id);
	}

	/** The shards that get an event. */
	of(dispatch: Dispatch): readonly Shard[] {
		if (this.#onlyShard) return [this.#onlyShard];
		const shardId = shardOfEvent(dispatch, { session: this.#session, totalShards: this.totalShards });
		if (shardId === undefined) return this.shards;
		const shard = this.#byId.get(shardId);
		return shard ? [shard] : [];
	}

	/** Passes an event to the shards that it is for. */
	receive(dispatch: Dispatch, position: number): void {
		if (this.#onlyShard) {
			this.#onlyShard.receive(dispatch, position);
			return;
		}
		const shardId = shardOfEvent(dispatch, { session: this.#session, totalShards: this.totalShards });
		if (shardId !== undefined) this.#byId.get(shardId)?.receive(dispatch, position);
		else for (const shard of this.shards) shard.receive(dispatch, position);
	}

	/** Discord has started a session, with READY at this position. */
	begin(ready: RawObject, position: number, intents: number): void {
		for (const shard of this.shards) {
			const own = this.#onlyShard ? ready : readyOfShard(ready, shard.id, this.totalShards);
			shard.beginSession(own, position, intents);
		}
	}
}
