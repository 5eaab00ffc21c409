import { stripVTControlCharacters } from 'node:util';
import { fleetHealth } from '@shardctl/core';
import type { ManagerStats, ShardStats } from '@shardctl/manager';
import { describe, expect, it } from 'vitest';
import { FleetHistory, fleetScreen, type ScreenState } from './fleet-screen.js';
import { statsTable } from './stats-table.js';

const nowMs = 1_700_000_000_000;

function stats(count: number, shard: Partial<ShardStats> = {}): ManagerStats {
	const figures: Omit<ManagerStats, 'health'> = {
		manager: {
			name: 'fleet',
			pid: 1,
			version: '0.1.0',
			totalShards: count,
			shardIds: Array.from({ length: count }, (_, id) => id),
			workers: count,
			startedAt: nowMs - 90_000,
			uptimeMs: 90_000,
			status: 'running',
			identify: { total: 1000, remaining: 996, resetAt: nowMs + 24 * 3_600_000 - 1000, maxConcurrency: 16, granted: 4 },
		},
		workers: [],
		shards: Array.from({ length: count }, (_, shardId) => ({
			shardId,
			workerId: shardId,
			pid: 1_234_567,
			status: 'unresponsive',
			since: null,
			closeCode: null,
			ready: false,
			guildCount: 2_500,
			userCount: 12_345_678,
			ping: 123.4,
			memoryMb: 1_234.5,
			cpuPercent: 100,
			loopDelayMs: 30_000,
			uptimeMs: 90_000,
			restarts: 12,
			lastExit: null,
			...shard,
		})),
	};
	return { ...figures, health: fleetHealth({ ...figures, nowMs }) };
}

const state = (over: Partial<ScreenState>): ScreenState => ({
	label: 'fleet',
	stats: undefined,
	problem: undefined,
	scroll: 0,
	gateways: false,
	...over,
});
const size = { width: 80, height: 24, nowMs };

describe('the live screen', () => {
	it('fits 80 columns and 24 lines, for any figures and fleet size', () => {
		const history = new FleetHistory();
		for (let i = 0; i < 100; i++) history.add(stats(1000));
		const lines = fleetScreen(state({ stats: stats(1000) }), history, size).map(stripVTControlCharacters);
		expect(lines).toHaveLength(24);
		expect(lines.filter((line) => line.length > 80)).toEqual([]);
		const title = lines.find((line) => line.startsWith('SHARD'))?.split(/ +/);
		expect(title).toEqual(['SHARD', 'STATUS', 'GUILDS', 'PING', 'MEMORY', 'CPU', 'UP', 'RESTARTS', 'PID']);
		expect(lines.at(-1)).toMatch(/^ ?shards 1 to 18 of 1000; q quits/);
	});

	it('shows sparklines if there is space', () => {
		const history = new FleetHistory();
		history.add(stats(2));
		const lines = fleetScreen(state({ stats: stats(2) }), history, { ...size, width: 140 }).map(stripVTControlCharacters);
		expect(lines.find((line) => line.startsWith('SHARD'))).toMatch(
			/PING +PING~ +MEMORY +CPU +CPU~ +LOOP +UP +RESTARTS +WORKER +PID$/,
		);
		expect(lines.find((line) => /^ +0 +unresponsive/.test(line))).toMatch(/[▁-█]/);
	});

	it('marks figures that are shares of a process with several shards', () => {
		const shared = stats(4);
		for (const shard of shared.shards) shard.workerId = shard.shardId >> 1;
		const lines = fleetScreen(state({ stats: shared }), new FleetHistory(), size).map(stripVTControlCharacters);
		expect(lines.find((line) => line.startsWith('SHARD'))).toMatch(/MEMORY\* +CPU\*/);
		expect(lines.at(-1)).toBe("q quits, arrows scroll; * the shard's share of its worker process");
		const table = stripVTControlCharacters(statsTable(shared, { width: 80, nowMs }));
		expect(table).toMatch(/\n\* the shard's share of its worker process\n$/);
		expect(statsTable(stats(2), { width: 80, nowMs })).not.toContain('*');
	});

	it('scrolls, and not past the end', () => {
		const lines = fleetScreen(state({ stats: stats(100), scroll: 99 }), new FleetHistory(), size).map(stripVTControlCharacters);
		expect(lines.at(-1)).toMatch(/shards 83 to 100 of 100/);
	});

	it('explains why there are no new figures, and keeps the last', () => {
		expect(fleetScreen(state({ problem: 'gone' }), new FleetHistory(), size)).toEqual(['gone']);
		const lines = fleetScreen(state({ problem: 'gone', stats: stats(1) }), new FleetHistory(), size).map(
			stripVTControlCharacters,
		);
		expect(lines).toContain('gone');
		expect(lines.join('\n')).toContain('unresponsive');
	});
});

describe('the table', () => {
	it.each([80, 60])('A5: keeps the essential columns at a width of %s', (width) => {
		const narrow = stripVTControlCharacters(statsTable(stats(2), { width, nowMs })).split('\n');
		expect(narrow.filter((line) => line.length > width)).toEqual([]);
		const at = narrow.findIndex((line) => line.startsWith('SHARD'));
		expect(narrow[at]).toMatch(/^SHARD +STATUS .*UP +RESTARTS +PID$/);
		expect(narrow[at + 1]).toMatch(/^ +0 +unresponsive .* 1m +12 +1234567$/);
	});

	it('shows every column if there is space', () => {
		expect(statsTable(stats(2), { width: Number.POSITIVE_INFINITY, nowMs })).toMatch(/USERS[\s\S]*LOOP[\s\S]*WORKER/);
	});

	it('names the simulator that replaces Discord', () => {
		const simulated = stats(1);
		simulated.manager.simulator = { url: 'http://127.0.0.1:4321/api' };
		expect(statsTable(simulated, { width: 120, nowMs })).toContain('max_concurrency 16 · simulator http://127.0.0.1:4321/api');
	});

	it('shows when the session starts reset, and a dash for unknown values', () => {
		const unknown = { ping: null, memoryMb: null, cpuPercent: null, loopDelayMs: null, pid: null, uptimeMs: 0 };
		const text = stripVTControlCharacters(statsTable(stats(1, unknown), { width: 200, nowMs }));
		expect(text).toContain('996/1000 session starts left, reset in 23h 59m · max_concurrency 16');
		expect(text).toMatch(/12\.3M +- +- +- +- +- +12 +0 +-\n/);
	});
});

describe('in resident mode', () => {
	const gatewayShard = {
		shardId: 0,
		session: 0,
		worker: 'connected',
		guildCount: 10,
		stateBytes: 1,
		bufferedEvents: 1_234,
		bufferedBytes: 1,
		bufferAgeMs: 12_345,
		lagMs: 99_999,
		eventsPerSecond: 1_234.5,
		received: 12_345_678,
		delivered: 1,
		workerIdentifies: 1,
		workerResumes: 1,
		overflowed: 1_000,
		expired: 234,
		coalesced: 0,
		lost: 12,
		repeated: 0,
		poisoned: 0,
		snapshotBytes: null,
		snapshotAgeMs: null,
		snapshotFailure: null,
	} as const;
	const session = {
		id: 0,
		of: 1,
		shardIds: [0],
		status: 'ready',
		since: nowMs - 1,
		tries: 0,
		nextTryAt: null,
		lastClose: null,
		intents: 1,
		waitsForBudget: false,
		lastEventAt: nowMs - 1,
		ping: 20,
		identifies: 1,
		resumes: 1_234,
		sessionsLost: 0,
		requestsWaiting: 0,
		requestsDropped: 0,
	} as const;
	const gateway = {
		id: 0,
		pid: 1_234_567,
		status: 'ready',
		startedAt: nowMs - 1,
		uptimeMs: 1,
		tries: 0,
		restarts: 0,
		since: nowMs - 1,
		nextTryAt: null,
		lastExit: null,
		lastAnswerAt: null,
		snapshotFailure: null,
		rssBytes: 9e7,
		cpuSeconds: 1,
	};
	const resident: ManagerStats = {
		...stats(1, { status: 'ready', ready: true }),
		gateways: [{ ...gateway, shardIds: [0], sessions: [{ ...session, shardIds: [0] }], shards: [gatewayShard] }],
	};

	it('shows what the gateway processes hold, at 80 columns too', () => {
		const narrow = stripVTControlCharacters(statsTable(resident, { width: 80, nowMs }))
			.trimEnd()
			.split('\n');
		expect(narrow.at(-2)?.split(/ +/)).toEqual(
			expect.arrayContaining(['SHARD', 'SESSION', 'WORKER', 'EV/S', 'BUFFER', 'AGE', 'LAG', 'RESUMES', 'DROPS', 'LOST']),
		);
		expect(narrow.at(-1)).toMatch(/0 +ready +connected +1,235 +1,234 +12\.3 s +100\.0 s +1,234 +1,234 +12/);
		expect(narrow.filter((line) => line.length > 80)).toEqual([]);
	});

	it('A5: keeps what is lost at 60 columns, and no column without a title', () => {
		const narrow = stripVTControlCharacters(statsTable(resident, { width: 60, nowMs }))
			.trimEnd()
			.split('\n');
		expect(narrow.at(-2)).toMatch(/^SHARD +SESSION +WORKER +.*BUFFER +AGE +DROPS +LOST$/);
		expect(narrow.filter((line) => line.length > 60)).toEqual([]);
		const none = { ...resident, gateways: [{ ...gateway, shardIds: [0], sessions: [], shards: [] }] };
		expect(statsTable(none, { width: 60, nowMs })).toContain('No gateway process answers.');
	});

	it('shows the memory of the gateway process if there is space', () => {
		const wide = stripVTControlCharacters(statsTable(resident, { width: 160, nowMs }))
			.trimEnd()
			.split('\n');
		expect(wide.at(-2)).toMatch(/GATEWAY +MEMORY +PID$/);
		expect(wide.at(-1)).toMatch(/ 0 +86 MB +1234567$/);
	});

	it('names the session of a shard when several shards share one', () => {
		const shards = [0, 2].map((shardId) => ({ ...gatewayShard, shardId }));
		const gateways = [{ ...gateway, shardIds: [0, 2], sessions: [{ ...session, shardIds: [0, 2] }], shards }];
		const text = stripVTControlCharacters(statsTable({ ...resident, gateways }, { width: 80, nowMs }));
		expect(text).toMatch(/ 0 +0 ready +connected[^\n]*\n +2 +0 ready +connected/);
	});

	it('the live screen shows them after a key press', () => {
		const screen = (gateways: boolean) =>
			fleetScreen(state({ stats: resident, gateways }), new FleetHistory(), size).map(stripVTControlCharacters);
		expect(screen(false).join('\n')).toMatch(/GUILDS[\s\S]*g shows the gateways, q quits/);
		expect(screen(true).join('\n')).toMatch(/SESSION[\s\S]*g shows the workers, q quits/);
	});
});
