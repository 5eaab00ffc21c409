import { expect, it } from 'vitest';
import { SessionOverlap } from './session-overlap.js';
import { overlapLimit, staleAfterMs } from './shard-overlap.js';

const deferredBy = (overlap: SessionOverlap) =>
	[...overlap.deferred()].map(({ dispatch, seq }) => [dispatch.t, seq, dispatch.repeated === true]);

it('returns the deferred events in order, and marks those the previous session also sent', () => {
	const overlap = new SessionOverlap();
	overlap.seen({ t: 'TYPING_START', d: { user_id: '1', channel_id: '2' } }, 0);
	overlap.seen({ t: 'CHANNEL_UPDATE', d: { id: '2', name: 'before READY' } }, 0);
	overlap.defer({ t: 'READY', d: {} }, 1, 0);
	overlap.defer({ t: 'TYPING_START', d: { user_id: '1', channel_id: '2' } }, 2, 0);
	overlap.defer({ t: 'TYPING_START', d: { user_id: '1', channel_id: '2' } }, 3, 0);
	overlap.defer({ t: 'CHANNEL_UPDATE', d: { id: '2', name: 'behind READY' } }, 4, 0);
	expect(deferredBy(overlap)).toEqual([
		['READY', 1, false],
		['TYPING_START', 2, true],
		['TYPING_START', 3, false],
		['CHANNEL_UPDATE', 4, false],
	]);
});

it('recognises a message whose content one of the sessions does not get', () => {
	const overlap = new SessionOverlap();
	overlap.seen({ t: 'MESSAGE_CREATE', d: { id: '5', content: '' } }, 0);
	overlap.defer({ t: 'MESSAGE_CREATE', d: { id: '5', content: 'hello' } }, 1, 0);
	overlap.defer({ t: 'MESSAGE_DELETE', d: { id: '5' } }, 2, 0);
	expect(deferredBy(overlap)).toEqual([
		['MESSAGE_CREATE', 1, true],
		['MESSAGE_DELETE', 2, false],
	]);
});

it('awaits what the previous session delivered until the new one has sent it, or is too late', () => {
	const overlap = new SessionOverlap();
	const message = (id: string) => ({ t: 'MESSAGE_CREATE', d: { id, guild_id: '1' } });
	overlap.seen(message('1'), 0);
	overlap.seen(message('2'), 1000);
	overlap.defer({ t: 'READY', d: {} }, 1, 1100);
	expect(overlap.awaitsRepeats(1100)).toBe(true);
	// What is older than that in the guild was sent before the new session began.
	overlap.defer(message('2'), 2, 1500);
	expect(overlap.awaitsRepeats(1500)).toBe(false);
	overlap.seen({ t: 'PRESENCE_UPDATE', d: { user: { id: '9' }, guild_id: '2' } }, 1500);
	expect([overlap.awaitsRepeats(4000), overlap.awaitsRepeats(4500)]).toEqual([true, false]);
});

it('forgets what the new session had received when Discord begins another in its place', () => {
	const overlap = new SessionOverlap();
	overlap.defer({ t: 'READY', d: {} }, 1, 0);
	overlap.defer({ t: 'MESSAGE_CREATE', d: { id: '1', guild_id: '1' } }, 2, 0);
	overlap.defer({ t: 'READY', d: {} }, 1, 10);
	overlap.defer({ t: 'MESSAGE_CREATE', d: { id: '2', guild_id: '1' } }, 2, 10);
	expect([...overlap.deferred()].map(({ dispatch: { t, d } }) => [t, (d as { id?: string }).id])).toEqual([
		['READY', undefined],
		['MESSAGE_CREATE', '2'],
	]);
});

it('is full when too much waits, not counting the guilds that the session begins with', () => {
	const overlap = new SessionOverlap();
	const large = 'x'.repeat(overlapLimit.bytes / 4);
	overlap.defer({ t: 'READY', d: { guilds: [{ id: '1' }] } }, 1, 0);
	overlap.defer({ t: 'GUILD_CREATE', d: { id: '1' }, text: large.repeat(5) }, 2, 0);
	const message = (id: number) => ({ t: 'MESSAGE_CREATE', d: { id: String(id), guild_id: '1' }, text: large });
	for (let id = 3; id < 7; id++) overlap.defer(message(id), id, 0);
	expect(overlap.isFull).toBe(false);
	overlap.defer(message(7), 7, 0);
	expect(overlap.isFull).toBe(true);
	// Discord has begun another one in its place.
	overlap.defer({ t: 'READY', d: {} }, 1, 0);
	expect(overlap.isFull).toBe(false);
});

it('is full when too much of what the present session has delivered is remembered', () => {
	const overlap = new SessionOverlap();
	overlap.defer({ t: 'READY', d: {} }, 1, 0);
	const large = (id: number) => ({ t: 'GUILD_UPDATE', d: { id: '1', name: String(id).repeat(overlapLimit.bytes / 4) } });
	for (const id of [1, 2, 3, 4]) overlap.seen(large(id), 0);
	expect(overlap.isFull).toBe(true);
	overlap.defer(large(4), 2, 0);
	expect(overlap.isFull).toBe(false);
});

it('gives to the state alone what the state of a present session contains that has begun again', () => {
	const overlap = new SessionOverlap();
	const message = (id: string) => ({ t: 'MESSAGE_CREATE', d: { id, guild_id: '1' } });
	overlap.defer({ t: 'READY', d: {} }, 1, 0);
	overlap.restart(100);
	overlap.defer(message('1'), 2, 500);
	overlap.defer(message('2'), 3, 100 + staleAfterMs);
	expect(overlap.settlesInMs(500)).toBeGreaterThan(staleAfterMs);
	expect(deferredBy(overlap)).toEqual([
		['READY', 1, false],
		['MESSAGE_CREATE', 2, true],
		['MESSAGE_CREATE', 3, false],
	]);
});
