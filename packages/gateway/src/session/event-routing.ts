// Which of a session's shards an event is for, where workers see more shards than there are sessions with Discord: see
// `sessionOfShard`. Pure. Discord: Gateway, "Sharding".
import { isSnowflake, shardIdForGuild } from '@shardctl/core';
import { eventsForAll, guildIdOf } from '../state/guild-of-event.js';
import { type Dispatch, objectsOf, type RawObject } from '../state/raw.js';

/**
 * The shard of the event's guild; undefined when all shards of the session get the event. An event without a guild goes to the
 * first shard of the session: direct messages arrive on session 0 alone, and belong to shard 0.
 */
export function shardOfEvent(
	dispatch: Dispatch,
	{ session, totalShards }: { session: number; totalShards: number },
): number | undefined {
	if (eventsForAll.has(dispatch.t)) return undefined;
	const guildId = guildIdOf(dispatch);
	return isId(guildId) ? shardIdForGuild(guildId, totalShards) : session;
}

/** The READY of one shard, with its own guilds. */
export function readyOfShard(ready: RawObject, shardId: number, totalShards: number): RawObject {
	const guilds = objectsOf(ready.guilds).filter(({ id }) => isId(id) && shardIdForGuild(id, totalShards) === shardId);
	return { ...ready, guilds };
}

function isId(value: unknown): value is string {
	return typeof value === 'string' && isSnowflake(value);
}
