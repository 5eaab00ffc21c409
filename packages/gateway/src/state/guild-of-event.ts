// The guild that an event belongs to: the key by which events are routed to shards, and by which a consumer of a stream may partition it.
import { type Dispatch, objectOf } from './raw.js';

/** Events whose data is the guild itself. */
const guildItself: ReadonlySet<string> = new Set(['GUILD_CREATE', 'GUILD_UPDATE', 'GUILD_DELETE']);

/** The id as Discord sent it; null for an event of no guild, such as a direct message. */
export function guildIdOf({ t, d }: Dispatch): string | null {
	const data = objectOf(d);
	// Nearly every event names its guild, so its type is looked up only where it does not.
	let id = data?.guild_id;
	if (id === undefined && guildItself.has(t)) id = data?.id;
	// Discord: Gateway Events, "Rate Limited".
	else if (id === undefined && t === 'RATE_LIMITED') id = objectOf(data?.meta)?.guild_id;
	return typeof id === 'string' ? id : null;
}

/** Events about the bot as a whole: every session gets them, and so does every shard. */
export const eventsForAll: ReadonlySet<string> = new Set(['USER_UPDATE']);
