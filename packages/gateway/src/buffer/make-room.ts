// Makes room in a buffer that is full, before anything is lost that somebody would miss: typing goes, so do interactions that nobody
// can answer any more, and of several presences or voice states of one person only the newest stays.
import type { Dispatch } from '../state/raw.js';
import { isExpired } from './event-lifetime.js';
import type { EventLog } from './event-log.js';

export interface RoomMade {
	/** Typing, and interactions that were too old. */
	expired: number;
	coalesced: number;
}

/** Looks at what lies behind `after`: what comes before is with the worker, or on its way. */
export function makeRoom(log: EventLog, { after, nowMs }: { after: number; nowMs: number }): RoomMade {
	const made: RoomMade = { expired: 0, coalesced: 0 };
	const newer = new Set<string>();
	log.removeNewestFirst(after, ({ event, coalesceKey, receivedAtMs }) => {
		if (event.type === 'TYPING_START' || isExpired(event.type, nowMs - receivedAtMs)) {
			made.expired++;
			return true;
		}
		if (coalesceKey === undefined) return false;
		if (!newer.has(coalesceKey)) {
			newer.add(coalesceKey);
			return false;
		}
		made.coalesced++;
		return true;
	});
	return made;
}

/**
 * What an event says something about that a newer onewith the same key says again, whole. A presence that brings a changed name or
 * picture has none: the next one does not repeat that. Nor has a voice state of the bot itself: libraries wait for each.
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
