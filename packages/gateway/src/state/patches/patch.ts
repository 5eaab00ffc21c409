// What the patch of one event is: a small function that changes one guild, and nothing else.
// The rule for all of them: the state becomes what discord.js makes of the same event, because a worker that reconnects has to
// find what one that stayed connected has. Where discord.js forgets something that is true, the state keeps it, with a comment.
import type { GuildRecord } from '../guild-record.js';
import type { RawObject } from '../raw.js';
import type { Users } from '../users.js';

export type GuildPatch = (guild: GuildRecord, data: RawObject, users: Users) => void;

/** Event type → its patch. */
export type PatchTable = Readonly<Record<string, GuildPatch>>;
