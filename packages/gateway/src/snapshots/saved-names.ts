// The names under which a shard is saved. They hold the bot and the generation of the layout, so that several bots can share a store,
// and resharding never mixes the shards of an old layout with those of a new one that have the same numbers.
import { createHash } from 'node:crypto';
import { isSnowflake } from '@shardctl/core';

/** What distinguishes the shards of one store. */
export interface SavedScope {
	/** See {@link botKey}. */
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

/** The bot's id, which is the first part of its token; a hash of the token where it has another form. Holds no secret. */
export function botKey(token: string): string {
	const id = Buffer.from(token.split('.', 1)[0] ?? '', 'base64').toString('latin1');
	return isSnowflake(id) ? id : createHash('sha256').update(token).digest('hex').slice(0, 16);
}
