// How a shard's events are divided: by guild, so that the order of a guild's events is kept, and many workers can share one shard. Pure.

/** How the events of a bot are divided. Partition `shard × perShard + n` has a part of the guilds of that shard, and no others. */
export interface QueueLayout {
	readonly shards: number;
	readonly perShard: number;
}

/** Partitions of all shards together, roughly: enough for that many workers, few enough for one call to read them all. */
const wanted = 128;
const mostPerShard = 16;

export function queueLayout(shards: number): QueueLayout {
	return { shards, perShard: Math.max(1, Math.min(mostPerShard, Math.floor(wanted / shards))) };
}

export function partitionCount({ shards, perShard }: QueueLayout): number {
	return shards * perShard;
}

export function shardOfPartition(partition: number, { perShard }: QueueLayout): number {
	return Math.floor(partition / perShard);
}

/**
 * The partition of an event of this shard. Events of no guild, such as direct messages, are divided by what they are about: a channel or
 * a user.
 */
export function partitionOf(shard: number, id: string | null, { shards, perShard }: QueueLayout): number {
	const first = shard * perShard;
	if (id === null || perShard === 1) return first;
	// A shard has every `shards`th id of the time part, so that is divided out first.
	return first + Number(((BigInt(id) >> 22n) / BigInt(shards)) % BigInt(perShard));
}
