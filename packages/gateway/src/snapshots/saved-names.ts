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

/** The generation of the layout that a name is of; undefined for a name of something else, or of another bot. */
export function generationOf(name: string, bot: string): number | undefined {
	const start = `${bot}.g`;
	if (!name.startsWith(start)) return undefined;
	const [, generation] = /^(\d+)\.shard-\d+(?:\.|$)/.exec(name.slice(start.length)) ?? [];
	return generation === undefined ? undefined : Number(generation);
}

export function savedNames({ bot, generation }: SavedScope, shardId: number): SavedNames {
	const shard = `${bot}.g${generation}.shard-${shardId}`;
	return { shard, journal: `${shard}.journal`, worker: `${shard}.worker.json` };
}
