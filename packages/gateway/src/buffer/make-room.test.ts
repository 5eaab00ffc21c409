import { EncodedDispatch } from '@shardctl/gateway-protocol';
import { expect, it } from 'vitest';
import { coalesceKeyOf } from './coalesce-key.js';
import { EventLog, type LogEntry } from './event-log.js';
import { makeRoom } from './make-room.js';

const botId = '9';

function logOf(...events: [t: string, d: object, receivedAtMs?: number][]): EventLog {
	const log = new EventLog();
	for (const [index, [t, d, receivedAtMs = 0]] of events.entries()) {
		log.push({
			offset: index + 1,
			event: EncodedDispatch.of(t, d),
			data: undefined,
			guildId: '1',
			ownMember: false,
			coalesceKey: coalesceKeyOf({ t, d }, botId),
			receivedAtMs,
			tries: 0,
		});
	}
	return log;
}

const left = (log: EventLog) => log.between(0, 1000).map(({ offset }) => offset);
const presence = (userId: string, status: string) => ({ guild_id: '1', user: { id: userId }, status });
const voice = (userId: string, channelId: string) => ({ guild_id: '1', user_id: userId, channel_id: channelId });

it('keeps the newest presence and voice state of each user, and every other event in order', () => {
	const log = logOf(
		['PRESENCE_UPDATE', presence('1', 'idle')],
		['MESSAGE_CREATE', {}],
		['PRESENCE_UPDATE', presence('2', 'idle')],
		['VOICE_STATE_UPDATE', voice('1', '5')],
		['PRESENCE_UPDATE', presence('1', 'dnd')],
		['GUILD_MEMBER_ADD', {}],
		['VOICE_STATE_UPDATE', voice('1', '6')],
		['PRESENCE_UPDATE', presence('1', 'online')],
	);
	const bytes = log.bytes;
	expect(makeRoom(log, { after: 0, nowMs: 0 })).toEqual({ expired: 0, interactions: 0, coalesced: 3 });
	expect(left(log)).toEqual([2, 3, 6, 7, 8]);
	expect(log.size).toBe(5);
	expect(log.bytes).toBeLessThan(bytes);
	expect(log.bytes).toBe(log.between(0, 1000).reduce((sum, { event }) => sum + event.sizeBytes, 0));
});

it('drops typing, and interactions that can no longer be answered', () => {
	const log = logOf(
		['TYPING_START', {}, 9000],
		['INTERACTION_CREATE', {}, 1000],
		['INTERACTION_CREATE', {}, 9000],
		['MESSAGE_CREATE', {}],
	);
	expect(makeRoom(log, { after: 0, nowMs: 10_000 })).toEqual({ expired: 2, interactions: 1, coalesced: 0 });
	expect(left(log)).toEqual([3, 4]);
});

it('leaves events alone that are already in flight', () => {
	const log = logOf(
		['PRESENCE_UPDATE', presence('1', 'idle')],
		['TYPING_START', {}],
		['PRESENCE_UPDATE', presence('1', 'dnd')],
		['PRESENCE_UPDATE', presence('1', 'online')],
	);
	makeRoom(log, { after: 2, nowMs: 0 });
	expect(left(log)).toEqual([1, 2, 4]);
});

it('keeps a presence that carries more of the user, and every voice state of the bot', () => {
	const renamed = { guild_id: '1', user: { id: '1', username: 'new' }, status: 'idle' };
	const log = logOf(
		['PRESENCE_UPDATE', renamed],
		['PRESENCE_UPDATE', presence('1', 'dnd')],
		['VOICE_STATE_UPDATE', voice(botId, '5')],
		['VOICE_STATE_UPDATE', voice(botId, '6')],
	);
	expect(makeRoom(log, { after: 0, nowMs: 0 })).toEqual({ expired: 0, interactions: 0, coalesced: 0 });
});

it('keeps an interaction that has a deferred response', () => {
	const log = logOf(['INTERACTION_CREATE', {}], ['INTERACTION_CREATE', {}]);
	(log.after(0) as LogEntry).isDeferred = true;
	expect(makeRoom(log, { after: 0, nowMs: 60_000 })).toEqual({ expired: 1, interactions: 1, coalesced: 0 });
	expect(left(log)).toEqual([1]);
});
