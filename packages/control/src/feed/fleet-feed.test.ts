import { fakeClock } from '@shardctl/test-support';
import { beforeEach, describe, expect, it } from 'vitest';
import { FakeFleet } from '../../test/fake-fleet.js';
import type { LogEntry } from '../fleet/fleet.js';
import type { FrameSink } from '../fleet/frame-sink.js';
import { FleetFeed } from './fleet-feed.js';

/** A reader that records what it gets. */
class Reader implements FrameSink {
	readonly frames: { type: string; id: number | undefined; data: unknown }[] = [];
	ticks = 0;
	ended = false;
	readonly #gone = new AbortController();

	get signal(): AbortSignal {
		return this.#gone.signal;
	}

	get data(): unknown[] {
		return this.frames.map(({ data }) => data);
	}

	send(frame: Buffer): void {
		const [, type, id, data] = /^event: (.+)\n(?:id: (\d+)\n)?data: (.+)\n\n$/.exec(frame.toString()) ?? [];
		this.frames.push({ type: type as string, id: id === undefined ? undefined : Number(id), data: JSON.parse(data as string) });
	}

	tick(): void {
		this.ticks++;
	}

	end(): void {
		this.ended = true;
	}

	leave(): void {
		this.#gone.abort();
	}
}

const startedAt = 1_700_000_000_000;
let clock = fakeClock(startedAt);
let fleet = new FakeFleet();
let feed = new FleetFeed(fleet, clock);

beforeEach(() => {
	clock = fakeClock(startedAt);
	fleet = new FakeFleet();
	feed = new FleetFeed(fleet, clock);
	return () => feed.close();
});

const line = (text: string, shardIds = [0, 1]): LogEntry => ({
	at: 1,
	workerId: 0,
	shardIds,
	pid: 7,
	stream: 'stdout',
	line: text,
});

describe('events', () => {
	it('are numbered from 1, stamped with the given clock, and kept', async () => {
		fleet.emit({ type: 'shard:ready', shardId: 3, workerId: 1 });
		await clock.advance(500);
		fleet.emit({ type: 'shard:reconnecting', shardId: 3, workerId: 1 });
		expect(feed.recentEvents()).toEqual([
			{ seq: 1, at: startedAt, type: 'shard:ready', shardId: 3, workerId: 1 },
			{ seq: 2, at: startedAt + 500, type: 'shard:reconnecting', shardId: 3, workerId: 1 },
		]);
	});

	it('are kept up to a limit, the newest of them, and counted beyond it', () => {
		for (let i = 0; i < 1500; i++) fleet.emit({ type: 'shard:ready', shardId: i, workerId: 0 });
		expect(feed.recentEvents()).toHaveLength(1000);
		expect(feed.recentEvents().at(0)?.seq).toBe(501);
		expect(feed.recentEvents().at(-1)?.seq).toBe(1500);
		expect(feed.eventCounts).toEqual(new Map([['shard:ready', 1500]]));
	});

	it('are counted by type, and a notice of a gateway process by its kind', () => {
		fleet.emit({ type: 'gateway:notice', gatewayId: 0, shardIds: [0], kind: 'events:lost', message: 'x' });
		fleet.emit({ type: 'gateway:notice', gatewayId: 0, shardIds: [0], kind: 'events:lost', message: 'x' });
		fleet.emit({ type: 'worker:unresponsive', workerId: 0, shardIds: [0] });
		expect(Object.fromEntries(feed.eventCounts)).toEqual({ 'events:lost': 2, 'worker:unresponsive': 1 });
	});

	it('are sent to each following reader: first those it has not seen, then new ones, until it leaves', () => {
		for (let shardId = 0; shardId < 3; shardId++) fleet.emit({ type: 'shard:ready', shardId, workerId: 0 });
		const late = new Reader();
		const fresh = new Reader();
		feed.followEvents(late, { after: 1 }, late.signal);
		feed.followEvents(fresh, { after: 3 }, fresh.signal);
		fleet.emit({ type: 'fleet:ready', shards: 3, workers: 1, tookMs: 5 });
		expect(late.frames.map(({ id }) => id)).toEqual([2, 3, 4]);
		expect(fresh.frames).toEqual([
			{ type: 'fleet:ready', id: 4, data: { seq: 4, at: startedAt, type: 'fleet:ready', shards: 3, workers: 1, tookMs: 5 } },
		]);
		late.leave();
		fleet.emit({ type: 'shard:resumed', shardId: 0, workerId: 0 });
		expect(late.frames).toHaveLength(3);
		expect(fresh.frames).toHaveLength(2);
	});
});

describe('lines', () => {
	it('are read from the fleet, the newest of them', async () => {
		fleet.logs = [line('one'), line('two', [2]), line('three')];
		expect((await feed.recentLogs({ shard: undefined, tail: 2 })).map((entry) => entry.line)).toEqual(['two', 'three']);
		expect((await feed.recentLogs({ shard: 2, tail: 10 })).map((entry) => entry.line)).toEqual(['two']);
		expect(await feed.recentLogs({ shard: undefined, tail: 0 })).toEqual([]);
	});

	it('are sent to the readers of their shard, and to those of all shards', async () => {
		fleet.logs = [line('before')];
		const all = new Reader();
		const second = new Reader();
		await feed.followLogs(all, { shard: undefined, tail: 5 }, all.signal);
		await feed.followLogs(second, { shard: 2, tail: 5 }, second.signal);
		fleet.write(line('of shard 0'));
		fleet.write(line('of shard 2', [2, 3]));
		expect(all.data).toEqual([line('before'), line('of shard 0'), line('of shard 2', [2, 3])]);
		expect(second.data).toEqual([line('of shard 2', [2, 3])]);
		second.leave();
		fleet.write(line('later', [2]));
		expect(second.frames).toHaveLength(1);
	});

	it('are not sent to a reader that left while the last lines were fetched', async () => {
		fleet.logs = [line('before')];
		const reader = new Reader();
		const following = feed.followLogs(reader, { shard: undefined, tail: 5 }, reader.signal);
		reader.leave();
		await following;
		fleet.write(line('after'));
		expect(reader.frames).toEqual([]);
		expect(feed.readers).toBe(0);
	});
});

describe('figures', () => {
	it('are sent at once and at each interval, until the reader leaves', async () => {
		const reader = new Reader();
		feed.followStats(reader, { intervalMs: 1000 }, reader.signal);
		await clock.advance(0);
		expect(reader.frames).toEqual([{ type: 'stats', id: undefined, data: JSON.parse(JSON.stringify(fleet.stats)) }]);
		await clock.advance(2500);
		expect(reader.frames).toHaveLength(3);
		reader.leave();
		await clock.advance(5000);
		expect(reader.frames).toHaveLength(3);
	});

	it('are read once for concurrent readers', async () => {
		const readers = Array.from({ length: 50 }, () => new Reader());
		for (const reader of readers) feed.followStats(reader, { intervalMs: 1000 }, reader.signal);
		await clock.advance(0);
		expect(fleet.timesAsked).toBe(1);
		await clock.advance(1000);
		expect(fleet.timesAsked).toBe(2);
		expect(readers.every(({ frames }) => frames.length === 2)).toBe(true);
	});

	it('that cannot be read are left out, and read again at the next interval', async () => {
		const reader = new Reader();
		const { stats } = fleet;
		fleet.stats = new Error('no answer');
		feed.followStats(reader, { intervalMs: 1000 }, reader.signal);
		await clock.advance(0);
		expect(reader.frames).toEqual([]);
		fleet.stats = stats;
		await clock.advance(1000);
		expect(reader.frames).toHaveLength(1);
	});
});

describe('readers', () => {
	it('are counted, and share the limit of the queue', () => {
		expect(feed.allowedBytes()).toBe(2 ** 20);
		const readers = Array.from({ length: 128 }, () => new Reader());
		for (const reader of readers) feed.followEvents(reader, { after: 0 }, reader.signal);
		expect(feed.readers).toBe(128);
		expect(feed.allowedBytes()).toBe(2 ** 19);
		for (const reader of readers) reader.leave();
		expect(feed.readers).toBe(0);
		expect(feed.allowedBytes()).toBe(2 ** 20);
	});

	it('get keep-alives while they are connected', async () => {
		const reader = new Reader();
		feed.followEvents(reader, { after: 0 }, reader.signal);
		await clock.advance(31_000);
		expect(reader.ticks).toBe(2);
		reader.leave();
		await clock.advance(30_000);
		expect(reader.ticks).toBe(2);
	});

	it('are closed with the feed, which leaves no timer', async () => {
		const events = new Reader();
		const figures = new Reader();
		feed.followEvents(events, { after: 0 }, events.signal);
		feed.followStats(figures, { intervalMs: 1000 }, figures.signal);
		feed.close();
		expect([events.ended, figures.ended]).toEqual([true, true]);
		// As the end of a response does.
		figures.leave();
		expect(clock.pendingTimers()).toBe(0);
	});
});
