// Every event that changes a guild by its `guild_id`, and its patch. What is not in here changes no guild.
import { channelPatches } from './channels.js';
import { eventPatches } from './events.js';
import { expressionPatches } from './expressions.js';
import { memberPatches } from './members.js';
import { messagePatches } from './messages.js';
import type { GuildPatch } from './patch.js';
import { presencePatches } from './presences.js';
import { rolePatches } from './roles.js';
import { threadPatches } from './threads.js';
import { voicePatches } from './voice.js';

export const guildPatches: ReadonlyMap<string, GuildPatch> = new Map(
	Object.entries({
		...channelPatches,
		...threadPatches,
		...rolePatches,
		...memberPatches,
		...presencePatches,
		...voicePatches,
		...expressionPatches,
		...eventPatches,
		...messagePatches,
	}),
);
