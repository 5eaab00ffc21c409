import { fakeClock } from '@shardctl/test-support';
import { expect, it } from 'vitest';
import { EncodedDispatch } from './dispatch.js';
import type { ReplayLimits } from './replay-buffer.js';
import { GatewaySession, type SessionCarrier } from './session.js';

class Carrier implements SessionCarrier {
	readonly frames: { s: number; t: string; d: unknown }[] = [];
	readonly lost: string[] = [];

	readonly id: number;

	constructor(id: number) {
		this.id = id;
	}

	sendFrame(frame: string): void {
		this.frames.push(JSON.parse(frame));
	}

	requestHeartbeat(): void {}
	close(): void {}

	sessionLost(reason: 'replaced' | 'ended'): void {
		this.lost.push(reason);
	}

	get numbers(): number[] {
		return this.frames.map(({ s }) => s);
	}
}

function newSession({ shard, replay }: { shard?: readonly [number, number]; replay?: ReplayLimits } = {}) {
	const identify = { token: 't', properties: {}, intents: 5 };
	return new GatewaySession({ id: 'a', shard, identify, clock: fakeClock(), ...(replay && { replay }) });
}

const event = (d: unknown) => EncodedDispatch.of('E', d);

it("defaults to shard 0 of 1 when the client names none, and keeps the client's other fields", () => {
	const session = newSession();
	expect([session.shard, session.slot, session.shardId, session.shardCount]).toEqual([undefined, [0, 1], 0, 1]);
	expect(session).toMatchObject({ intents: 5, largeThreshold: 50, presence: undefined });
	expect(newSession({ shard: [3, 8] }).slot).toEqual([3, 8]);
});

it('numbers events with or without a connection, and replays what a resume missed', () => {
	const session = newSession();
	const first = new Carrier(1);
	session.attach(first);
	session.dispatch(event('a'));
	expect(session.detach(first)).toBe(true);
	session.dispatch(event('b'));
	session.dispatch(event('c'));
	expect([first.numbers, session.seq, session.connected]).toEqual([[1], 3, false]);
	const second = new Carrier(2);
	session.attach(second);
	expect(session.canResumeFrom(1)).toBe('yes');
	expect(session.replayAfter(1)).toBe(2);
	expect(second.frames).toMatchObject([
		{ s: 2, d: 'b' },
		{ s: 3, d: 'c' },
	]);
});

it('numbers events that are never replayed', () => {
	const session = newSession();
	session.attach(new Carrier(1));
	session.dispatch(event('a'));
	session.dispatchUnrecorded(EncodedDispatch.of('RESUMED', {}));
	session.dispatch(event('b'));
	const later = new Carrier(2);
	session.attach(later);
	expect(session.replayAfter(1)).toBe(1);
	expect(later.frames).toMatchObject([{ s: 3, t: 'E', d: 'b' }]);
});

it('cannot be resumed from a future number, nor from before the oldest kept event', () => {
	const session = newSession({ replay: { maxEvents: 2, maxBytes: 1e6, maxAgeMs: 1e6 } });
	for (const d of ['a', 'b', 'c']) session.dispatch(event(d));
	expect([0, 1, 3, 4].map((seq) => session.canResumeFrom(seq))).toEqual(['too old', 'yes', 'yes', 'ahead']);
});

it('moves to another connection, after which the old one changes nothing', () => {
	const session = newSession();
	const [first, second] = [new Carrier(1), new Carrier(2)];
	session.attach(first);
	session.attach(second);
	session.attach(second);
	expect([first.lost, second.lost]).toEqual([['replaced'], []]);
	expect(session.detach(first)).toBe(false);
	session.dispatch(event('a'));
	expect([session.carrier, first.numbers, second.numbers]).toEqual([second, [], [1]]);
});

it('notifies its connection when it ends, and keeps nothing', () => {
	const session = newSession();
	const carrier = new Carrier(1);
	session.attach(carrier);
	session.dispatch(event('a'));
	session.dispose();
	expect([carrier.lost, session.connected, session.replayableEvents]).toEqual([['ended'], false, 0]);
});
