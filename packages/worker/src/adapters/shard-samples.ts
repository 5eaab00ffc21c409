// The samples of a client's shards, counted from its guild cache.
import type { ShardSample } from '@shardctl/core';

/**
 * One sample per shard, with the guilds that `shardOf` assigns to it. Guilds of other shards, as of a shard that was just closed,
 * are not counted.
 *
 * @param shards The ids with the last heartbeat round trip in ms; null before the first.
 */
export function sampleShards<Guild extends { memberCount: number }>(
	shards: Iterable<readonly [shardId: number, ping: number | null]>,
	guilds: Iterable<Guild>,
	shardOf: (guild: Guild) => number | undefined,
): ShardSample[] {
	const samples = new Map<number, ShardSample>();
	for (const [shardId, ping] of shards) samples.set(shardId, { shardId, guildCount: 0, userCount: 0, ping });
	for (const guild of guilds) {
		const shardId = shardOf(guild);
		const sample = shardId === undefined ? undefined : samples.get(shardId);
		if (!sample) continue;
		sample.guildCount++;
		sample.userCount += guild.memberCount;
	}
	return [...samples.values()];
}

/** The latency of eris and oceanic.js is Infinity before the first heartbeat. */
export function pingOf({ latency }: { latency: number }): number | null {
	return Number.isFinite(latency) ? latency : null;
}
