import { expect, it, vi } from 'vitest';
import { keepSessionsThroughOutages } from './session-keeper.js';

const setup = (status: number) => {
	const update = vi.fn<(shardId: number, session: unknown) => unknown>();
	const options = { updateSessionInfo: update };
	keepSessionsThroughOutages(options, () => ({ shards: new Map([[3, { status }]]) }));
	return { update, options };
};

it('keeps the session when a connection could not be opened', () => {
	const { update, options } = setup(1);
	options.updateSessionInfo(3, null);
	expect(update).not.toHaveBeenCalled();
});

it.each([2, 3])('drops the session when the gateway invalidates it (status %i)', (status) => {
	const { update, options } = setup(status);
	options.updateSessionInfo(3, null);
	expect(update).toHaveBeenCalledWith(3, null);
});

it('passes every new session on, and reports of shards it does not know', () => {
	const { update, options } = setup(1);
	options.updateSessionInfo(3, { sessionId: 'a' });
	options.updateSessionInfo(4, null);
	expect(update.mock.calls).toEqual([
		[3, { sessionId: 'a' }],
		[4, null],
	]);
});
