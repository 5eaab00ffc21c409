// Makes room in a full buffer, before anything is lost that would be missed: typing is dropped, so are interactions that are
// too old to be answered, and of several presences or voice states of one person only the newest stays.
import { isExpired } from './event-lifetime.js';
import type { EventLog } from './event-log.js';

export interface RoomMade {
	/** Typing, and interactions that were too old. */
	expired: number;
	/** The interactions among them. */
	interactions: number;
	coalesced: number;
}

/** Considers the events behind `after`: earlier ones are in flight, or confirmed. */
export function makeRoom(log: EventLog, { after, nowMs }: { after: number; nowMs: number }): RoomMade {
	const made: RoomMade = { expired: 0, interactions: 0, coalesced: 0 };
	const newer = new Set<string>();
	log.removeNewestFirst(after, ({ event, coalesceKey, receivedAtMs, isDeferred }) => {
		if (event.type === 'TYPING_START' || (!isDeferred && isExpired(event.type, nowMs - receivedAtMs))) {
			made.expired++;
			if (event.type === 'INTERACTION_CREATE') made.interactions++;
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
