import type { GatewaySessionStats } from '@shardctl/core';
import { expect, it } from 'vitest';
import { RefusedSessions } from './refused-sessions.js';

const session = { id: 2, status: 'connecting', since: 5, lastClose: null, nextTryAt: 9 } as GatewaySessionStats;

it('B1: holds a refused session back until it is allowed, and reports it as refused until then', async () => {
	const refused = new RefusedSessions();
	await refused.whenAllowed(2);
	expect(refused.shown(session)).toBe(session);
	refused.note(2, { code: 4014, at: 7 });
	expect([refused.has(2), refused.has(1)]).toEqual([true, false]);
	expect(refused.shown(session)).toMatchObject({
		status: 'refused',
		since: 5,
		nextTryAt: null,
		lastClose: { code: 4014, at: 7 },
	});
	let allowed = false;
	const waiting = refused.whenAllowed(2).then(() => {
		allowed = true;
	});
	await Promise.resolve();
	expect(allowed).toBe(false);
	// Refused again: the waiting workers keep waiting.
	refused.note(2, { code: 4004, at: 8 });
	refused.allow(2);
	await waiting;
	expect([refused.has(2), refused.shown(session)]).toEqual([false, session]);
});
