// Which of a session's shards an event of Discord's is for, and which requests of a shard's worker are for Discord, where the shards
// that workers see are more than the sessions. Shard v comes through session v % sessions, because the number of shards is a
// whole multiple of that of sessions: a guild's shard decides on its session. Pure.
// Discord: Gateway, "Sharding".
import { shardIdForGuild } from '@shardctl/core';
import { type ClientRequest, op } from '@shardctl/gateway-protocol';
import { guildIdOf } from '../buffer/guild-of-event.js';
import { type Dispatch, objectsOf, type RawObject } from '../state/raw.js';

/** They concern the bot as a whole, so that every session gets them, and every shard. */
const forAll: ReadonlySet<string> = new Set(['USER_UPDATE']);

/**
 * The shard that an event is for: its guild's, or undefined when all shards of the session are to have it. What belongs to no
 * guild is for the first shard of the session: direct messages come through session 0 alone, and are for shard 0.
 */
export function shardOfEvent(
	dispatch: Dispatch,
	{ session, totalShards }: { session: number; totalShards: number },
): number | undefined {
	if (forAll.has(dispatch.t)) return undefined;
	const guildId = guildIdOf(dispatch);
	return isId(guildId) ? shardIdForGuild(guildId, totalShards) : session;
}

/** The READY of one shard: its own guilds. */
export function readyOfShard(ready: RawObject, shardId: number, totalShards: number): RawObject {
	const guilds = objectsOf(ready.guilds).filter(({ id }) => isId(id) && shardIdForGuild(id, totalShards) === shardId);
	return { ...ready, guilds };
}

/**
 * A request of a shard's worker as Discord is to have it; undefined when nothing is left of it. A session of the shard's own would
 * not know the guilds of other shards, and the answers would go to those.
 */
export function requestOfShard(request: ClientRequest, shardId: number, totalShards: number): ClientRequest | undefined {
	const isOwn = (guildId: string) => isId(guildId) && shardIdForGuild(guildId, totalShards) === shardId;
	if (request.op === op.presenceUpdate) return request;
	if (request.op !== op.requestSoundboardSounds) return isOwn(request.d.guild_id) ? request : undefined;
	const guildIds = request.d.guild_ids.filter(isOwn);
	return guildIds.length > 0 ? { ...request, d: { ...request.d, guild_ids: guildIds } } : undefined;
}

function isId(value: unknown): value is string {
	return typeof value === 'string' && /^\d{1,20}$/.test(value);
}
