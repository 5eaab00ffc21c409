// What a newer event replaces: the key that both have. Presences and voice states have one; every other event counts for itself.
import type { Dispatch } from '../state/raw.js';

/**
 * An event is replaced as a whole by a newer one with the same key. A presence that brings a changed name or picture has no key: the next
 * one does not repeat that. Nor has a voice state of the bot itself: libraries wait for each.
 */
export function coalesceKeyOf({ t, d }: Dispatch, botId: string): string | undefined {
	if (t === 'PRESENCE_UPDATE') {
		const { guild_id: guildId, user } = d as { guild_id?: string; user?: { id: string } };
		return user && Object.keys(user).length === 1 ? `p${guildId} ${user.id}` : undefined;
	}
	if (t === 'VOICE_STATE_UPDATE') {
		const { guild_id: guildId, user_id: userId } = d as { guild_id?: string; user_id?: string };
		return userId === botId ? undefined : `v${guildId} ${userId}`;
	}
	return undefined;
}
