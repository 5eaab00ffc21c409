import { fakeClock } from '@shardctl/test-support';
import { expect, it } from 'vitest';
import { logEntryOf } from '../buffer/event-log.js';
import { Bounds } from './bounds.js';
import { Feed } from './feed.js';
import { ShardStats } from './shard-stats.js';

function setup({ events = 10, bytes = 1e6, ageMs = 60_000 } = {}) {
	const clock = fakeClock();
	const stats = new ShardStats(500);
	const passed: number[] = [];
	const notices: string[] = [];
	let cutOff = () => {};
	const feed = new Feed({
		clock,
		stats,
		mayFollow: () => true,
		onSent: () => {},
		onConfirmed: () => {},
		onPassed: ({ offset }) => passed.push(offset),
	});
	const bounds = new Bounds({
		feed,
		limits: { events, bytes, ageMs },
		clock,
		stats,
		notice: (_, message) => notices.push(message),
		onFull: () => cutOff(),
	});
	let offset = 0;
	const push = (count: number, t = 'MESSAGE_CREATE') => {
		for (let n = 0; n < count; n++) {
			feed.arrive(++offset);
			const d = { guild_id: '1', user: { id: '7' } };
			feed.push(logEntryOf({ t, d }, { offset, botId: '9', receivedAtMs: clock.monotonic(), keepData: false }));
		}
	};
	const onFull = (run: () => void) => {
		cutOff = run;
	};
	return { clock, stats, feed, bounds, push, passed, notices, onFull };
}

it('drops the oldest events of a log with too many, and reports the begin and the end of that once', async () => {
	const { clock, bounds, push, passed, notices, stats } = setup();
	push(10);
	expect(bounds.enforce()).toBe(false);
	push(3);
	expect([bounds.enforce(), passed, stats.counters.overflowed]).toEqual([true, [1, 2, 3], 3]);
	await clock.advance(59_000);
	push(1);
	bounds.enforce();
	await clock.advance(59_000);
	bounds.report();
	const began = 'buffer full: the oldest events update the state but are not delivered';
	expect(notices).toEqual([began]);
	await clock.advance(1000);
	bounds.report();
	bounds.report();
	expect(notices).toEqual([began, 'the buffer has space again: it was full for 59s, and 4 events were not delivered']);
	push(1);
	bounds.enforce();
	expect(notices[2]).toBe(began);
});

it('drops events that are too old, or too large in total', async () => {
	const old = setup({ ageMs: 1000 });
	old.push(3);
	await old.clock.advance(1001);
	expect([old.bounds.enforce(), old.passed]).toEqual([true, [1, 2, 3]]);
	const large = setup({ bytes: 300 });
	large.push(10);
	expect(large.bounds.enforce()).toBe(true);
	expect(large.feed.log.bytes).toBeLessThanOrEqual(300);
});

it('drops expendable events first', () => {
	const { bounds, push, passed, stats, feed } = setup();
	push(4, 'TYPING_START');
	push(3, 'PRESENCE_UPDATE');
	push(6);
	expect([bounds.enforce(), passed, feed.log.size]).toEqual([false, [], 7]);
	expect(stats.counters).toMatchObject({ expired: 4, coalesced: 2, overflowed: 0 });
});

it('asks for its worker to be disconnected before it drops an event, and applies what that confirms', () => {
	const { bounds, push, feed, onFull, stats } = setup();
	push(12);
	onFull(() => feed.commit(5));
	expect([bounds.enforce(), feed.log.size, stats.counters.overflowed]).toEqual([false, 7, 0]);
});

it('keeps events of a session that is not current yet', () => {
	const { bounds, push, feed } = setup();
	feed.block(0);
	push(30, 'TYPING_START');
	expect([bounds.enforce(), feed.log.size]).toEqual([false, 30]);
	feed.unblock();
	bounds.enforce();
	expect(feed.log.size).toBe(0);
});

it('reports expired events as one number when the outage is over', async () => {
	const { clock, bounds, stats, notices } = setup();
	stats.counters.expired = 3;
	bounds.report();
	stats.counters.expired = 8;
	await clock.advance(6000);
	bounds.report();
	await clock.advance(6000);
	bounds.report();
	expect(notices).toEqual(['8 interactions or typing events expired before delivery']);
});
