import { expect, it } from 'vitest';
import { Takeover } from './session-overlap.js';

const heldBy = (takeover: Takeover) =>
	[...takeover.held()].map(({ dispatch, seq }) => [dispatch.t, seq, dispatch.repeated === true]);

it('gives back what was held in order, and marks what the session before has said as well', () => {
	const takeover = new Takeover();
	takeover.hear({ t: 'TYPING_START', d: { user_id: '1', channel_id: '2' } });
	takeover.hear({ t: 'CHANNEL_UPDATE', d: { id: '2', name: 'before READY' } });
	takeover.hold({ t: 'READY', d: {} }, 1);
	takeover.hold({ t: 'TYPING_START', d: { user_id: '1', channel_id: '2' } }, 2);
	takeover.hold({ t: 'TYPING_START', d: { user_id: '1', channel_id: '2' } }, 3);
	takeover.hold({ t: 'CHANNEL_UPDATE', d: { id: '2', name: 'behind READY' } }, 4);
	expect(heldBy(takeover)).toEqual([
		['READY', 1, false],
		['TYPING_START', 2, true],
		['TYPING_START', 3, false],
		['CHANNEL_UPDATE', 4, false],
	]);
});

it('knows a message again whose content one of the sessions does not get', () => {
	const takeover = new Takeover();
	takeover.hear({ t: 'MESSAGE_CREATE', d: { id: '5', content: '' } });
	takeover.hold({ t: 'MESSAGE_CREATE', d: { id: '5', content: 'hello' } }, 1);
	takeover.hold({ t: 'MESSAGE_DELETE', d: { id: '5' } }, 2);
	expect(heldBy(takeover)).toEqual([
		['MESSAGE_CREATE', 1, true],
		['MESSAGE_DELETE', 2, false],
	]);
});
