// Makes room in a buffer that is full, before anything is lost that somebody would miss: typing goes, so do interactions that nobody
// can answer any more, and of several presences or voice states of one person only the newest stays.
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
