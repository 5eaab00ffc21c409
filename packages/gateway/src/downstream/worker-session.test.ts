import { EncodedDispatch, type SessionCarrier } from '@shardctl/gateway-protocol';
import { fakeClock } from '@shardctl/test-support';
import { expect, it } from 'vitest';
import { type SessionStream, WorkerSession } from './worker-session.js';

function setup({ browser }: { browser?: string } = {}) {
	const asked: unknown[] = [];
	const stream: SessionStream = {
		canResume: (session, seq) => {
			asked.push(['canResume', session.id, seq]);
			return 'too old';
		},
		resume: (session, seq) => {
			asked.push(['resume', session.id, seq]);
			return 7;
		},
	};
	const identify = { token: 't', properties: browser === undefined ? {} : { browser }, intents: 1 };
	const session = new WorkerSession({ id: 'a', shard: [0, 1], identify, clock: fakeClock() }, stream);
	const frames: { s: number; t: string }[] = [];
	const carrier: SessionCarrier = {
		id: 1,
		sendFrame: (frame) => void frames.push(JSON.parse(frame)),
		requestHeartbeat: () => {},
		close: () => {},
		sessionLost: () => {},
	};
	return { session, frames, asked, carrier };
}

it('numbers events by position, stores none, and counts events without a connection as sent', () => {
	const { session, frames, carrier } = setup();
	session.sendAt(10, EncodedDispatch.of('BEFORE', {}));
	session.attach(carrier);
	session.sendAt(12, EncodedDispatch.of('E', {}));
	session.sendAt(12, EncodedDispatch.of('E', {}));
	session.sendAt(40, EncodedDispatch.of('E', {}));
	expect(frames.map(({ s }) => s)).toEqual([12, 12, 40]);
	expect([session.seq, session.replayableEvents]).toEqual([40, 0]);
});

it('gives RESUMED the number of the newest event, because Discord numbers the next one', () => {
	const { session, frames, carrier } = setup();
	session.attach(carrier);
	session.setPosition(5);
	session.dispatchUnrecorded(EncodedDispatch.of('RESUMED', {}));
	expect(frames).toMatchObject([{ s: 5, t: 'RESUMED' }]);
	expect(session.seq).toBe(5);
});

it('leaves resumes and replays to its stream', () => {
	const { session, asked } = setup();
	expect(session.canResumeFrom(3)).toBe('too old');
	expect(session.replayAfter(3)).toBe(7);
	expect(asked).toEqual([
		['canResume', 'a', 3],
		['resume', 'a', 3],
	]);
});

it.each([
	['@discordjs/ws 1.2.3', 5],
	['discord.py', 1],
	['Pycord', 1],
	['disnake', 1],
	['Eris', 1],
	['Oceanic', 1],
	[undefined, 5],
])('requests heartbeats from a %s client no more often than its library allows, unless it must', (browser, times) => {
	const { session, carrier } = setup(browser === undefined ? {} : { browser });
	let asked = 0;
	session.attach({ ...carrier, requestHeartbeat: () => void asked++ });
	const answers = [0, 100, 200, 300, 400].map((nowMs) => session.ask(nowMs));
	expect([asked, answers.filter(Boolean).length]).toEqual([times, times]);
	expect(session.ask(500, { now: true })).toBe(true);
	expect(asked).toBe(times + 1);
	expect(session.ask(5000)).toBe(true);
});
