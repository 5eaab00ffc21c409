import { intentBits } from '@shardctl/core';
import type { SessionCarrier } from '@shardctl/gateway-protocol';
import { fakeClock } from '@shardctl/test-support';
import { expect, it } from 'vitest';
import { type ConsumerUnderTest, consumerContract } from '../../test/support/consumer-contract.js';
import type { LogEntry } from '../buffer/event-log.js';
import { WorkerSession } from '../downstream/worker-session.js';
import { AnswerRoutes } from './answer-routes.js';
import type { StreamConsumer } from './consumer.js';
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

consumerContract('a recorder', recorder);
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
