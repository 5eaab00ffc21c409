// Which part of a worker's request concerns the guilds of its shard. Several shards share one session with Discord, which knows the
// guilds of all of them; a session of the shard's own would not, and the answers would go to other shards. Pure.
import { isSnowflake, shardIdForGuild } from '@shardctl/core';
import { type ClientRequest, op } from '@shardctl/gateway-protocol';

/** The request as Discord is to receive it; undefined when no guild of the shard is left in it. */
export function requestOfShard(request: ClientRequest, shardId: number, totalShards: number): ClientRequest | undefined {
	const isOwn = (guildId: string) => isSnowflake(guildId) && shardIdForGuild(guildId, totalShards) === shardId;
	if (request.op === op.presenceUpdate) return request;
	if (request.op !== op.requestSoundboardSounds) return isOwn(request.d.guild_id) ? request : undefined;
	const guildIds = request.d.guild_ids.filter(isOwn);
	return guildIds.length > 0 ? { ...request, d: { ...request.d, guild_ids: guildIds } } : undefined;
}
