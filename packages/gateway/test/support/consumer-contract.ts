// The contract of a consumer of a shard's stream: every implementation of `StreamConsumer` runs it with `consumerContract`.
import { EncodedDispatch } from '@shardctl/gateway-protocol';
import { fakeClock } from '@shardctl/test-support';
import { describe, expect, it } from 'vitest';
import { logEntryOf } from '../../src/buffer/event-log.js';
import type { StreamConsumer } from '../../src/stream/consumer.js';
import { Feed, feedWindow } from '../../src/stream/feed.js';
import { ShardStats } from '../../src/stream/shard-stats.js';

/** One consumer as the suite drives it. */
export interface ConsumerUnderTest {
	consumer: StreamConsumer;
	/** The positions and types of the events it received, in order. */
	received(): { offset: number; type: string }[];
	/** A type of event that it does not want, if there is one. */
	unwanted?: string;
	disconnect(): void;
	reconnect(): void;
	/** How often it was asked to confirm. */
	timesAsked(): number;
}

export function consumerContract(name: string, make: () => ConsumerUnderTest): void {
	describe(`${name}, as a consumer of a stream`, () => {
		function setup() {
			const under = make();
			const clock = fakeClock();
			const passed: number[] = [];
			const stats = new ShardStats(500);
			const feed = new Feed({
				clock,
				stats,
				mayFollow: () => true,
				onSent: () => {},
				onConfirmed: () => {},
				onPassed: ({ offset }) => passed.push(offset),
			});
			const push = (offset: number, type = 'MESSAGE_CREATE') => {
				const dispatch = { t: type, d: { id: String(offset), guild_id: '1' } };
				feed.arrive(offset);
				feed.push(logEntryOf(dispatch, { offset, botId: '9', receivedAtMs: clock.monotonic(), keepData: false }));
			};
			const offsets = () => under.received().map(({ offset }) => offset);
			return { ...under, feed, push, passed, offsets, stats };
		}

		it('gets every event once, in order, by its position', () => {
			const { feed, consumer, push, offsets } = setup();
			for (const offset of [1, 2, 5, 9]) {
				push(offset);
				feed.flow(consumer);
			}
			expect(offsets()).toEqual([1, 2, 5, 9]);
		});

		it('confirms every event up to a position, which then leaves the log', () => {
			const { feed, consumer, push, passed } = setup();
			for (const offset of [1, 2, 5]) push(offset);
			feed.flow(consumer);
			feed.acknowledge(2);
			expect([passed, feed.positions.cursor, feed.log.size]).toEqual([[1, 2], 2, 1]);
			feed.acknowledge(1);
			expect(feed.positions.cursor).toBe(2);
			feed.acknowledge(5);
			expect([passed, feed.log.size, feed.positions.isUnconfirmed]).toEqual([[1, 2, 5], 0, false]);
		});

		it('gets nothing while it is not connected, and the waiting events when it is', () => {
			const { feed, consumer, push, offsets, disconnect, reconnect } = setup();
			disconnect();
			expect(consumer.accepting).toBe(false);
			push(1);
			push(2);
			feed.flow(consumer);
			expect([offsets(), feed.log.size]).toEqual([[], 2]);
			reconnect();
			feed.flow(consumer);
			expect(offsets()).toEqual([1, 2]);
		});

		it('gets no more than a window of unconfirmed events', () => {
			const { feed, consumer, push, offsets } = setup();
			const all = feedWindow.events + 10;
			for (let offset = 1; offset <= all; offset++) push(offset);
			feed.flow(consumer);
			expect(offsets()).toHaveLength(feedWindow.events);
			feed.acknowledge(10);
			feed.flow(consumer);
			expect(offsets()).toEqual(Array.from({ length: all }, (_, index) => index + 1));
		});

		it('gets the events in flight again when it resumes from before them', () => {
			const { feed, consumer, push, offsets, disconnect, reconnect } = setup();
			for (const offset of [1, 2, 3, 4]) push(offset);
			feed.flow(consumer);
			disconnect();
			push(5);
			reconnect();
			expect(feed.resume(consumer, 2)).toBe(2);
			feed.flow(consumer);
			expect(offsets()).toEqual([1, 2, 3, 4, 3, 4, 5]);
			expect(feed.positions.cursor).toBe(2);
		});

		it('gets every unconfirmed event again after a rewind', () => {
			const { feed, consumer, push, offsets } = setup();
			for (const offset of [1, 2, 3]) push(offset);
			feed.flow(consumer);
			feed.acknowledge(1);
			feed.rewind(feed.positions.cursor);
			feed.flow(consumer);
			expect(offsets()).toEqual([1, 2, 3, 2, 3]);
		});

		it('does not have to confirm an event that is not for it, nor one that expired', () => {
			const { feed, consumer, push, received, unwanted, stats } = setup();
			push(1, unwanted ?? 'MESSAGE_CREATE');
			feed.flow(consumer);
			expect(received()).toHaveLength(unwanted ? 0 : 1);
			expect(feed.skipFiltered()).toBe(unwanted !== undefined);
			expect(feed.positions.cursor).toBe(unwanted ? 1 : 0);
			feed.acknowledge(1);
			feed.arrive(2);
			const event = EncodedDispatch.of('TYPING_START', { guild_id: '1' });
			const receivedAtMs = Number.NEGATIVE_INFINITY;
			feed.push({
				offset: 2,
				event,
				data: undefined,
				guildId: '1',
				ownMember: false,
				coalesceKey: undefined,
				receivedAtMs,
				tries: 0,
			});
			feed.flow(consumer);
			expect([feed.skipFiltered(), feed.positions.cursor]).toEqual([true, 2]);
			expect([stats.counters.expired, received().some(({ offset }) => offset === 2)]).toEqual([
				consumer.wants(entry(event)) ? 1 : 0,
				false,
			]);
		});

		it('is asked to confirm, at once if requested', () => {
			const { consumer, timesAsked } = setup();
			const before = timesAsked();
			expect(consumer.probe({ now: true })).toBe(true);
			expect(timesAsked()).toBe(before + 1);
		});
	});
}

const entry = (event: EncodedDispatch) =>
	({
		offset: 1,
		event,
		data: undefined,
		guildId: '1',
		ownMember: false,
		coalesceKey: undefined,
		receivedAtMs: 0,
		tries: 0,
	}) as const;
