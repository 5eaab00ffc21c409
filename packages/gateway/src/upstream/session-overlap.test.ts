import { expect, it } from 'vitest';
import { SessionOverlap } from './session-overlap.js';

const deferredBy = (overlap: SessionOverlap) =>
	[...overlap.deferred()].map(({ dispatch, seq }) => [dispatch.t, seq, dispatch.repeated === true]);

it('returns the deferred events in order, and marks those the previous session also sent', () => {
	const overlap = new SessionOverlap();
	overlap.seen({ t: 'TYPING_START', d: { user_id: '1', channel_id: '2' } });
	overlap.seen({ t: 'CHANNEL_UPDATE', d: { id: '2', name: 'before READY' } });
	overlap.defer({ t: 'READY', d: {} }, 1);
	overlap.defer({ t: 'TYPING_START', d: { user_id: '1', channel_id: '2' } }, 2);
	overlap.defer({ t: 'TYPING_START', d: { user_id: '1', channel_id: '2' } }, 3);
	overlap.defer({ t: 'CHANNEL_UPDATE', d: { id: '2', name: 'behind READY' } }, 4);
	expect(deferredBy(overlap)).toEqual([
		['READY', 1, false],
		['TYPING_START', 2, true],
		['TYPING_START', 3, false],
		['CHANNEL_UPDATE', 4, false],
	]);
});

it('recognises a message whose content one of the sessions does not get', () => {
	const overlap = new SessionOverlap();
	overlap.seen({ t: 'MESSAGE_CREATE', d: { id: '5', content: '' } });
	overlap.defer({ t: 'MESSAGE_CREATE', d: { id: '5', content: 'hello' } }, 1);
	overlap.defer({ t: 'MESSAGE_DELETE', d: { id: '5' } }, 2);
	expect(deferredBy(overlap)).toEqual([
		['MESSAGE_CREATE', 1, true],
		['MESSAGE_DELETE', 2, false],
	]);
});
