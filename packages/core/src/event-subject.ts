// What an event of no guild is about, which decides which of such events keep their order among each other.
import { isSnowflake } from './shards.js';

/** The channel, else the user, of an event's `d`; null where it names none, or is no object. */
export function subjectOf(data: unknown): string | null {
	const {
		channel_id: channelId,
		user,
		user_id: userId,
	} = (data ?? {}) as { channel_id?: unknown; user?: { id?: unknown } | null; user_id?: unknown };
	const id = channelId ?? user?.id ?? userId;
	return typeof id === 'string' && isSnowflake(id) ? id : null;
}
