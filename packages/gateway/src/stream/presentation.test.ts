import { intentBits } from '@shardctl/core';
import type { SessionCarrier } from '@shardctl/gateway-protocol';
import { fakeClock } from '@shardctl/test-support';
import { expect, it } from 'vitest';
import { WorkerSession } from '../downstream/worker-session.js';
import type { EncodedData } from '../state/raw.js';
import { Presentation } from './presentation.js';

const guild = (id: number, bytes = 10): EncodedData => ({
	t: 'GUILD_CREATE',
	json: JSON.stringify({ id, x: 'x'.repeat(bytes) }),
});
const ready: EncodedData = { t: 'READY', json: '{}' };

function setup({ intents = intentBits.GUILDS as number } = {}) {
	const identify = { token: 't', properties: {}, intents };
	const stream = { canResume: () => 'yes' as const, resume: () => 0 };
	const session = new WorkerSession({ id: 'a', shard: [0, 1], identify, clock: fakeClock() }, stream);
	const sent: string[] = [];
	const carrier: SessionCarrier = {
		id: 1,
		sendFrame: (frame) => {
			const { s, t } = JSON.parse(frame);
			sent.push(`${t} ${s}`);
		},
		requestHeartbeat: () => {},
		close: () => {},
		sessionLost: () => {},
	};
	session.attach(carrier);
	return { session, sent, carrier };
}

const present = (events: EncodedData[], unsaved = false) => new Presentation({ offset: 7, events: events.values(), unsaved });

it('sends READY, then the guilds, then waits for two heartbeats, and for one after each part', () => {
	const { session, sent } = setup();
	const presentation = present([ready, guild(1), guild(2)]);
	expect([presentation.sendNext(session), presentation.sendNext(session), sent]).toEqual([true, false, ['READY 7']]);
	presentation.heartbeat();
	expect([presentation.sendNext(session), sent.length, presentation.isSent]).toEqual([true, 3, true]);
	expect([presentation.isConfirmed, presentation.awaitsHeartbeat]).toEqual([false, true]);
	presentation.heartbeat();
	expect(presentation.isConfirmed).toBe(false);
	presentation.heartbeat();
	expect([presentation.isConfirmed, presentation.awaitsHeartbeat, presentation.sendNext(session)]).toEqual([true, false, false]);
});

it('is sent in parts of about a megabyte', () => {
	const { session, sent } = setup();
	const presentation = present(Array.from({ length: 5 }, (_, id) => guild(id, 400_000)));
	presentation.sendNext(session);
	expect([sent.length, presentation.isSent]).toEqual([3, false]);
	presentation.heartbeat();
	presentation.sendNext(session);
	expect([sent.length, presentation.isSent]).toEqual([5, true]);
});

it('sends nothing before it is saved, whatever heartbeats arrive, and nothing without a connection', () => {
	const { session, sent, carrier } = setup();
	const presentation = present([ready], true);
	presentation.heartbeat();
	expect([presentation.sendNext(session), presentation.awaitsHeartbeat]).toEqual([false, false]);
	presentation.saved();
	session.detach(carrier);
	expect(presentation.sendNext(session)).toBe(false);
	session.attach(carrier);
	expect([presentation.sendNext(session), sent]).toEqual([true, ['READY 7']]);
	// Saving no longer matters.
	presentation.saved();
	expect(presentation.awaitsHeartbeat).toBe(true);
});

it('sends no guild to a session without the GUILDS intent', () => {
	const { session, sent } = setup({ intents: intentBits.GUILD_MESSAGES });
	const presentation = present([ready, guild(1)]);
	presentation.sendNext(session);
	presentation.heartbeat();
	presentation.sendNext(session);
	expect([sent, presentation.isSent]).toEqual([['READY 7'], true]);
});

it('is never confirmed for a session of an earlier process', () => {
	const presentation = Presentation.interrupted(4);
	for (let beat = 0; beat < 3; beat++) presentation.heartbeat();
	expect([presentation.offset, presentation.isSent, presentation.isConfirmed, presentation.awaitsHeartbeat]).toEqual([
		4,
		true,
		false,
		false,
	]);
});
