// What distinguishes one bot from another wherever several can meet: in a folder, in a Redis.
import { createHash } from 'node:crypto';
import { isSnowflake } from './shards.js';

/** The bot's id, which is the first part of its token; a hash of the token where it has another form. Holds no secret. */
export function botKey(token: string): string {
	const id = Buffer.from(token.split('.', 1)[0] ?? '', 'base64').toString('latin1');
	return isSnowflake(id) ? id : createHash('sha256').update(token).digest('hex').slice(0, 16);
}
