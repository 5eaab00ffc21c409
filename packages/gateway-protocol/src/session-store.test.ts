import { fakeClock } from '@shardctl/test-support';
import { expect, test } from 'vitest';
import type { SessionCarrier } from './session.js';
import { type SessionEnd, SessionStore } from './session-store.js';

const identify = { token: 't', properties: {}, intents: 0 };
const carrier = (id: number): SessionCarrier => ({
	id,
	sendFrame: () => {},
	requestHeartbeat: () => {},
	close: () => {},
	sessionLost: () => {},
});

function store(maxDisconnected?: number) {
	const clock = fakeClock();
	const ends: [string, SessionEnd][] = [];
	const sessions = new SessionStore({
		clock,
		ttlMs: 1000,
		onEnd: (session, end) => ends.push([session.id, end]),
		...(maxDisconnected !== undefined && { maxDisconnected }),
	});
	return { clock, ends, sessions };
}

test('a connected session has no timer, a disconnected one expires, and a resumed one does not', async () => {
	const { clock, ends, sessions } = store();
	const session = sessions.create(identify);
	sessions.attach(session, carrier(1));
	expect(clock.pendingTimers()).toBe(0);
	const one = session.carrier as SessionCarrier;
	sessions.detach(session, one);
	await clock.advance(999);
	sessions.attach(session, one);
	await clock.advance(5000);
	expect([ends, clock.pendingTimers()]).toEqual([[], 0]);
	sessions.detach(session, one);
	await clock.advance(1000);
	expect(ends).toEqual([[session.id, 'expired']]);
	expect(sessions.get(session.id)).toBeUndefined();
});

test('a connection that has lost its session to another does not detach it', () => {
	const { clock, sessions } = store();
	const session = sessions.create(identify);
	const [one, two] = [carrier(1), carrier(2)];
	sessions.attach(session, one);
	sessions.attach(session, two);
	sessions.detach(session, one);
	expect([session.connected, clock.pendingTimers()]).toEqual([true, 0]);
});

test('drops the longest disconnected session when there are too many', () => {
	const { ends, sessions } = store(2);
	const ids = [1, 2, 3].map((n) => {
		const session = sessions.create(identify);
		const one = carrier(n);
		sessions.attach(session, one);
		sessions.detach(session, one);
		return session.id;
	});
	expect(ends).toEqual([[ids[0], 'evicted']]);
});

test('ending all sessions leaves no timer and reports each end once', () => {
	const { clock, ends, sessions } = store();
	const session = sessions.create(identify);
	const one = carrier(1);
	sessions.attach(session, one);
	sessions.detach(session, one);
	sessions.create(identify);
	sessions.endAll('stopped');
	sessions.end(session, 'stopped');
	expect([ends.length, sessions.size, clock.pendingTimers()]).toEqual([2, 0, 0]);
});
