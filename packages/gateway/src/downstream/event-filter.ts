// Which events a worker's session gets: those of its intents, and answers that it asked for itself.
import { intentsForEvent } from '@shardctl/gateway-protocol';
import type { LogEntry } from '../buffer/event-log.js';

/** Whether a session with these intents gets an event. */
export function passesIntents({ event, guildId, ownMember }: LogEntry, intents: number): boolean {
	const needed = intentsForEvent(event.type, { direct: guildId === null });
	return needed === 0 || ownMember || (needed & intents) !== 0;
}
