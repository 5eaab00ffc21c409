// A user is one person, but every guild holds a copy. What one event says about a user is true of all copies, and a client that
// saw the whole stream has only one: so the copies are kept alike. The words here are what the patches see of that.
import type { GuildRecord } from './guild-record.js';
import { wouldChange } from './merge.js';
import { objectOf, type RawObject, stringOf } from './raw.js';

/** The users of all guilds of a shard, as far as a patch of one guild needs them. */
export interface Users {
	/** The bot's own id. */
	readonly selfId: string;
	/** A copy of a user from any guild. */
	find(id: string): RawObject | undefined;
	/** Brings every copy up to date, in all guilds. */
	update(user: RawObject): void;
}

/** Takes note of what an event says about a user, where it is more than an id. */
export function sawUser(guild: GuildRecord, user: RawObject, users: Users): void {
	const id = stringOf(user.id);
	if (id === undefined || !('username' in user)) return;
	const known = objectOf(guild.members.get(id)?.user);
	// The copies are alike, so one that needs no change speaks for all.
	if (known && !wouldChange(known, user)) return;
	users.update(user);
}
