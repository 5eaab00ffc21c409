import { type HistoryPoint, historyFields, type ManagerStats } from '@shardctl/core';
import { expect, it } from 'vitest';
import { FleetHistory, historyPoint } from './history.js';

function point(at: number, values: Partial<HistoryPoint> = {}): HistoryPoint {
	return { at, ...(Object.fromEntries(historyFields.map((field) => [field, null])) as Omit<HistoryPoint, 'at'>), ...values };
}

it('keeps an hour of points, in order, and forgets the oldest', () => {
	const history = new FleetHistory();
	for (let at = 1; at <= 725; at++) history.add(point(at, { guilds: at }));
	const { at, guilds, pingP50Ms } = history.read('hour');
	expect([at.length, at[0], at.at(-1)]).toEqual([720, 6, 725]);
	expect(guilds).toEqual(at);
	// What is not known is null and not a number.
	expect(new Set(pingP50Ms)).toEqual(new Set([null]));
});

it('makes one point of each minute: the mean, and of what can be too large the largest', () => {
	const history = new FleetHistory();
	for (let i = 0; i < 24; i++) history.add(point(i, { cpuPercent: i % 2 === 0 ? 10 : null, loopDelayMs: i, restarts: 3 }));
	const { at, cpuPercent, loopDelayMs, restarts, guilds } = history.read('day');
	expect({ at, cpuPercent, loopDelayMs, restarts, guilds }).toEqual({
		at: [11, 23],
		cpuPercent: [10, 10],
		loopDelayMs: [11, 23],
		restarts: [3, 3],
		guilds: [null, null],
	});
});

it('keeps a day of minutes', () => {
	const history = new FleetHistory();
	for (let at = 1; at <= 12 * 1450; at++) history.add(point(at));
	const { at } = history.read('day');
	expect([at.length, at.at(-1)]).toEqual([1440, 12 * 1450]);
});

it('reads a point from the figures of a fleet in direct mode', () => {
	const shard = { guildCount: 5, ping: 20, cpuPercent: 1.5, loopDelayMs: 4 };
	const stats = {
		health: { served: 2 },
		shards: [shard, { ...shard, ping: null, loopDelayMs: null }, { ...shard, ping: 80 }],
		workers: [
			{ rssBytes: 100, restarts: 1 },
			{ rssBytes: null, restarts: 2 },
		],
	} as unknown as ManagerStats;
	expect(historyPoint(7, stats)).toEqual({
		at: 7,
		served: 2,
		guilds: 15,
		eventsPerSecond: null,
		pingP50Ms: 20,
		pingP99Ms: 80,
		memoryBytes: 100,
		memoryMaxBytes: 100,
		cpuPercent: 4.5,
		loopDelayMs: 4,
		bufferedEvents: null,
		bufferAgeMs: null,
		restPerSecond: null,
		restQueued: null,
		restarts: 3,
	});
});

it('counts the requests to Discord in a second, also after the REST process was replaced', () => {
	const stats = (requests: number) =>
		({ health: { served: 0 }, shards: [], workers: [], rest: { requests, queued: 4 } }) as unknown as ManagerStats;
	expect(historyPoint(6000, stats(150), { at: 1000, requests: 100 })).toMatchObject({ restPerSecond: 10, restQueued: 4 });
	expect(historyPoint(6000, stats(20), { at: 1000, requests: 100 })).toMatchObject({ restPerSecond: 4 });
	expect(historyPoint(6000, stats(20))).toMatchObject({ restPerSecond: null, restQueued: 4 });
});

it('reads events and buffers from gateway processes', () => {
	const held = { eventsPerSecond: 2.5, bufferedEvents: 3, bufferAgeMs: 40 };
	const gateway = { rssBytes: 50, restarts: 1, sessions: [{ ping: 30 }], shards: [held, held] };
	const stats = { health: { served: 0 }, shards: [], workers: [], gateways: [gateway] } as unknown as ManagerStats;
	expect(historyPoint(1, stats)).toMatchObject({
		eventsPerSecond: 5,
		bufferedEvents: 6,
		bufferAgeMs: 40,
		pingP50Ms: 30,
		memoryBytes: 50,
		memoryMaxBytes: null,
		restarts: 1,
	});
});
