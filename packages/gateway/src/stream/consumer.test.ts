import { intentBits } from '@shardctl/core';
import type { SessionCarrier } from '@shardctl/gateway-protocol';
import type { QueuedEvent } from '@shardctl/queue';
import { fakeClock } from '@shardctl/test-support';
import { expect, it } from 'vitest';
import { type ConsumerUnderTest, consumerContract } from '../../test/support/consumer-contract.js';
import { type LogEntry, logEntryOf } from '../buffer/event-log.js';
import { WorkerSession } from '../downstream/worker-session.js';
import { AnswerRoutes } from './answer-routes.js';
import type { StreamConsumer } from './consumer.js';
import { QueueConsumer } from './queue-consumer.js';
import { WorkerConsumer } from './worker-consumer.js';

/** The minimal consumer. A queue instead of a worker has no connection that breaks, and partitions by guild. */
function recorder(): ConsumerUnderTest & { partitions: Map<string | null, number[]> } {
	const entries: LogEntry[] = [];
	const partitions = new Map<string | null, number[]>();
	let accepting = true;
	let asked = 0;
	const consumer: StreamConsumer = {
		get accepting() {
			return accepting;
		},
		wants: () => true,
		deliver: (entry) => {
			entries.push(entry);
			partitions.set(entry.guildId, [...(partitions.get(entry.guildId) ?? []), entry.offset]);
		},
		probe: () => {
			asked++;
			return true;
		},
	};
	return {
		consumer,
		partitions,
		received: () => entries.map(({ offset, event }) => ({ offset, type: event.type })),
		disconnect: () => {
			accepting = false;
		},
		reconnect: () => {
			accepting = true;
		},
		timesAsked: () => asked,
	};
}

function worker(): ConsumerUnderTest {
	const clock = fakeClock();
	const identify = { token: 't', properties: {}, intents: intentBits.GUILD_MESSAGES | intentBits.GUILD_MESSAGE_TYPING };
	const stream = { canResume: () => 'yes' as const, resume: () => 0 };
	const session = new WorkerSession({ id: 'a', shard: [0, 1], identify, clock }, stream);
	const received: { offset: number; type: string }[] = [];
	let asked = 0;
	const carrier: SessionCarrier = {
		id: 1,
		sendFrame: (frame) => {
			const { s: offset, t: type } = JSON.parse(frame);
			received.push({ offset, type });
		},
		requestHeartbeat: () => {
			asked++;
		},
		close: () => {},
		sessionLost: () => {},
	};
	session.attach(carrier);
	return {
		consumer: new WorkerConsumer(session, { incarnation: 1, clock, answers: new AnswerRoutes() }),
		received: () => received,
		unwanted: 'PRESENCE_UPDATE',
		disconnect: () => session.detach(carrier),
		reconnect: () => session.attach(carrier),
		timesAsked: () => asked,
	};
}

function queue(): ConsumerUnderTest & { events: QueuedEvent[]; begin(session: string, base: number): void } {
	const events: QueuedEvent[] = [];
	let asked = 0;
	const writer = {
		accepting: true,
		claimAgain() {},
		push: (event: QueuedEvent) => void events.push(event),
		flush: () => void asked++,
		stop() {},
	};
	const consumer = new QueueConsumer({ writer, queue: { isReady: true, wants: (type) => type !== 'PRESENCE_UPDATE' } });
	consumer.begin('first', 0);
	return {
		consumer,
		events,
		begin: (session, base) => consumer.begin(session, base),
		received: () => events.map(({ position: offset, type }) => ({ offset, type })),
		unwanted: 'PRESENCE_UPDATE',
		disconnect: () => {
			writer.accepting = false;
		},
		reconnect: () => {
			writer.accepting = true;
		},
		timesAsked: () => asked,
	};
}

consumerContract('a recorder', recorder);
consumerContract('the event queue', queue);
consumerContract('a connected worker', worker);

it('can be partitioned by the guild of each event', () => {
	const { consumer, partitions } = recorder();
	const of = (offset: number, guildId: string | null) => consumer.deliver({ offset, guildId } as LogEntry);
	of(1, '10');
	of(2, '20');
	of(3, null);
	of(4, '10');
	expect([...partitions]).toEqual([
		['10', [1, 4]],
		['20', [2]],
		[null, [3]],
	]);
});

it('goes into the queue with its session, its number there, and what it is about', () => {
	const { consumer, begin, events } = queue();
	const push = (offset: number, d: object) =>
		consumer.deliver(logEntryOf({ t: 'MESSAGE_CREATE', d }, { offset, botId: '9', receivedAtMs: 0, keepData: false }));
	push(4, { guild_id: '10' });
	begin('second', 7);
	push(7, { channel_id: '20' });
	push(8, { author: { id: '30' } });
	expect(events.map(({ session, seq, guildId, subjectId }) => [session, seq, guildId, subjectId])).toEqual([
		['first', 4, '10', null],
		['first', 7, null, '20'],
		['second', 1, null, null],
	]);
	expect(events.map((event) => event.data())).toEqual(['{"guild_id":"10"}', '{"channel_id":"20"}', '{"author":{"id":"30"}}']);
});

it('goes into the queue once, where a session passes it on to all of its shards', () => {
	const writer = { accepting: true, claimAgain() {}, push() {}, flush() {}, stop() {} };
	const wanted = (isFirst: boolean, t: string) =>
		new QueueConsumer({ writer, queue: { isReady: true, wants: () => true }, isFirst: () => isFirst }).wants(
			logEntryOf({ t, d: {} }, { offset: 1, botId: '9', receivedAtMs: 0, keepData: false }),
		);
	expect([wanted(true, 'USER_UPDATE'), wanted(false, 'USER_UPDATE'), wanted(false, 'MESSAGE_CREATE')]).toEqual([
		true,
		false,
		true,
	]);
});

it('has the response to an interaction begun when it arrives, and says so in the queue until it has failed', async () => {
	const events: QueuedEvent[] = [];
	const writer = {
		accepting: true,
		claimAgain() {},
		push: (event: QueuedEvent) => void events.push(event),
		flush() {},
		stop() {},
	};
	const asked: [unknown, string][] = [];
	const outcomes = [Promise.resolve(true), Promise.resolve(false), undefined];
	const defer = (data: unknown, key: string) => {
		asked.push([data, key]);
		return outcomes.shift();
	};
	const consumer = new QueueConsumer({ writer, queue: { isReady: true, wants: () => true, defer } });
	const entryOf = (t: string, offset: number) =>
		logEntryOf({ t, d: { id: String(offset) } }, { offset, botId: '9', receivedAtMs: 0, keepData: false });
	// Without a session there is nothing that it could be known by.
	consumer.noteArrival(entryOf('INTERACTION_CREATE', 1));
	consumer.begin('first', 1);
	const entries = ['INTERACTION_CREATE', 'INTERACTION_CREATE', 'INTERACTION_CREATE', 'MESSAGE_CREATE'].map((t, n) =>
		entryOf(t, n + 2),
	);
	for (const entry of entries) consumer.noteArrival(entry);
	expect(asked).toEqual([
		[{ id: '2' }, 'first:1'],
		[{ id: '3' }, 'first:2'],
		[{ id: '4' }, 'first:3'],
	]);
	// Both outcomes are known.
	await new Promise((resolve) => setImmediate(resolve));
	for (const entry of entries) consumer.deliver(entry);
	expect(events.map(({ isDeferred }) => isDeferred)).toEqual([true, false, false, false]);
	consumer.close();
	consumer.noteArrival(entryOf('INTERACTION_CREATE', 9));
	expect(asked).toHaveLength(3);
});
