import { expect, it, vi } from 'vitest';
import { SessionKeeper, shardStatus } from './session-keeper.js';

const session = { sessionId: 'a', sequence: 5, shardId: 0, shardCount: 1, resumeURL: 'wss://example.invalid' };

function setup() {
	let status: number = shardStatus.idle;
	const onSessionLost = vi.fn<() => void>();
	const keeper = new SessionKeeper({
		options: {} as never,
		status: () => status,
		beforeConnect: async () => {},
		waitForIdentify: async () => {},
		onSessionLost,
	});
	return {
		keeper,
		onSessionLost,
		at: (name: keyof typeof shardStatus) => {
			status = shardStatus[name];
			return keeper;
		},
	};
}

it('keeps the session while a connection cannot be opened, and drops it when Discord invalidates it', () => {
	const { keeper, at, onSessionLost } = setup();
	keeper.noteEvent(5, { begins: true });
	at('ready').updateSessionInfo(0, session);
	at('connecting').updateSessionInfo(0, null);
	expect([keeper.session, onSessionLost.mock.calls.length]).toEqual([session, 0]);
	at('resuming').updateSessionInfo(0, null);
	expect([keeper.session, onSessionLost.mock.calls.length]).toEqual([null, 1]);
});

it.each([1000, 4005, 4008])('resumes after close code %i, for which the library would identify', (code) => {
	const { keeper, at } = setup();
	keeper.restore(session);
	at('ready');
	keeper.noteClose(code);
	keeper.updateSessionInfo(0, null);
	expect(keeper.session).toEqual(session);
	// The next connection starts fresh: Discord's answer there counts.
	keeper.noteHello();
	at('resuming').updateSessionInfo(0, null);
	expect(keeper.session).toBeNull();
});

it('drops the session after a close code that ends it', () => {
	const { keeper, at } = setup();
	at('ready').updateSessionInfo(0, session);
	keeper.noteClose(4007);
	keeper.updateSessionInfo(0, null);
	expect(keeper.session).toBeNull();
});

it('returns the session synchronously while connected, and asynchronously before a connect', async () => {
	const { at, keeper } = setup();
	keeper.restore(session);
	expect(at('ready').retrieveSessionInfo()).toEqual(session);
	const answer = at('idle').retrieveSessionInfo();
	expect(answer).toBeInstanceOf(Promise);
	expect(await answer).toEqual(session);
});

it('knows the newest event, also when the library sets the session of READY later', () => {
	const { at, keeper } = setup();
	keeper.restore({ ...session, sequence: 900 });
	keeper.noteEvent(901, { begins: false });
	expect(keeper.session?.sequence).toBe(901);
	keeper.noteEvent(1, { begins: true });
	keeper.noteEvent(2, { begins: false });
	at('ready').updateSessionInfo(0, { ...session, sessionId: 'b', sequence: 1 });
	expect(keeper.session).toEqual({ ...session, sessionId: 'b', sequence: 2 });
});

it('changes nothing after the process begins a hand-over', () => {
	const { keeper, at } = setup();
	keeper.restore(session);
	at('ready');
	keeper.freeze();
	keeper.updateSessionInfo(0, null);
	expect(keeper.session).toEqual(session);
});
