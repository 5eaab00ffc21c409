// The names under which a shard is saved. They hold the bot and the generation of the layout, so that several bots can share a store,
// and resharding never mixes the shards of an old layout with those of a new one that have the same numbers.
/** What distinguishes the shards of one store. */
export interface SavedScope {
	/** See `botKey`. */
	bot: string;
	/** Of the layout. */
	generation: number;
}

export interface SavedNames {
	shard: string;
	journal: string;
	worker: string;
}

export function savedNames({ bot, generation }: SavedScope, shardId: number): SavedNames {
	const shard = `${bot}.g${generation}.shard-${shardId}`;
	return { shard, journal: `${shard}.journal`, worker: `${shard}.worker.json` };
}
