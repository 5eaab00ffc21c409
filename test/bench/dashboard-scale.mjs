// What the dashboard of 1,000 shards costs: the processor time of the page and of the control API while figures arrive once a second, and how
// long the page takes to appear. The fleet is made up; the control API, the page and the browser are real.
//
// node test/bench/dashboard-scale.mjs [shards]        after `pnpm build`; needs Chromium
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { chromium } from 'playwright-core';
import { createControlClient } from '../../packages/control/dist/index.js';
import { startControl } from '../../packages/control/dist/server/index.js';
import { systemClock } from '../../packages/core/dist/index.js';

const shardCount = Number(process.argv[2] ?? 1000);
const perWorker = 10;
const measuredS = 20;
const startedAt = Date.now();
const between = (from, to) => Math.round(from + Math.random() * (to - from));
const list = (length, make) => Array.from({ length }, (_, index) => make(index));

/** Every figure of every shard differs from the last second's, and each second another shard is down. */
function makeStats() {
	const now = Date.now();
	const down = Math.floor(now / 1000) % shardCount;
	const common = { since: startedAt, restarts: 0, lastExit: null };
	const shards = list(shardCount, (shardId) => ({
		...common,
		shardId,
		workerId: Math.floor(shardId / perWorker),
		pid: 5000 + Math.floor(shardId / perWorker),
		status: shardId === down ? 'reconnecting' : 'ready',
		ready: shardId !== down,
		guildCount: between(900, 1100),
		userCount: between(90_000, 99_999),
		ping: between(20, 90),
		memoryMb: between(30, 60),
		cpuPercent: Math.random() * 3,
		loopDelayMs: Math.random() * 30,
		uptimeMs: now - startedAt,
		closeCode: null,
	}));
	const workers = list(Math.ceil(shardCount / perWorker), (id) => ({
		...common,
		id,
		shardIds: list(perWorker, (index) => id * perWorker + index),
		state: 'ready',
		tries: 0,
		nextTryAt: null,
		lastAnswerAt: now,
		heartbeat: { intervalMs: 5000, timeoutMs: 30_000 },
		pid: 5000 + id,
		rssBytes: between(3e8, 6e8),
		memoryLimitBytes: 8e8,
	}));
	const identify = { total: 2000, remaining: 1000, resetAt: now + 3_600_000, maxConcurrency: 16, granted: shardCount };
	const cause = {
		kind: 'shard-not-ready',
		effect: 'outage',
		shardIds: [down],
		message: `shard ${down} reconnecting`,
		since: now,
	};
	return {
		manager: {
			name: 'scale',
			pid: process.pid,
			version: '0.0.0',
			totalShards: shardCount,
			shardIds: shards.map(({ shardId }) => shardId),
			workers: workers.length,
			startedAt,
			uptimeMs: now - startedAt,
			status: 'running',
			identify,
		},
		health: {
			status: 'degraded',
			served: shardCount - 1,
			shards: shardCount,
			causes: [{ ...cause, tries: 1, nextTryAt: null, lost: 0, remedy: null }],
		},
		shards,
		workers,
	};
}

let stats = makeStats();
/** What making the figures takes is not the control API's. */
let makingMicros = 0;
setInterval(() => {
	const before = process.cpuUsage();
	stats = makeStats();
	const { user, system } = process.cpuUsage(before);
	makingMicros += user + system;
}, 1000).unref();
const fleet = {
	name: 'scale',
	version: '0.0.0',
	totalShards: shardCount,
	getStats: async () => stats,
	getWorkers: async () => [],
	recentLogs: async () => [],
	onEvent() {},
	onLog() {},
};

const folder = mkdtempSync(join(tmpdir(), 'shardctl-bench-'));
process.env.SHARDCTL_STATE_DIR = folder;
const setup = {
	file: 'bot.js',
	logger: pino({ level: 'silent' }),
	clock: systemClock,
	token: 'a token that is looked for in each frame',
};
const control = await startControl(fleet, { dashboard: 0 }, setup);
const executablePath = (process.env.PATH ?? '')
	.split(':')
	.map((place) => join(place, 'chromium'))
	.find(existsSync);
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
try {
	const page = await browser.newPage({ viewport: { width: 1360, height: 900 } });
	const { url } = await createControlClient('scale').dashboard();
	const since = performance.now();
	await page.goto(url);
	await page.getByRole('button', { name: new RegExp(`^Shard ${shardCount - 1}:`) }).waitFor();
	const shownMs = performance.now() - since;
	const paintMs = await page.evaluate('performance.getEntriesByName("first-contentful-paint")[0].startTime');
	const session = await browser.newBrowserCDPSession();
	const pageSeconds = async () => {
		const { processInfo } = await session.send('SystemInfo.getProcessInfo');
		return processInfo.filter(({ type }) => type === 'renderer').reduce((sum, { cpuTime }) => sum + cpuTime, 0);
	};
	await page.waitForTimeout(3000);
	const [pageBefore, ownBefore, from] = [await pageSeconds(), process.cpuUsage(), performance.now()];
	makingMicros = 0;
	await page.waitForTimeout(measuredS * 1000);
	const seconds = (performance.now() - from) / 1000;
	const own = process.cpuUsage(ownBefore);
	const percent = (used) => `${((used / seconds) * 100).toFixed(1)}% of a core`;
	console.log(`${shardCount} shards, ${Math.round(JSON.stringify(stats).length / 1024)} KiB of figures a second`);
	console.log(`first paint after ${Math.round(paintMs)} ms, every shard after ${Math.round(shownMs)} ms`);
	console.log(`page: ${percent((await pageSeconds()) - pageBefore)}`);
	console.log(`control API, with the driver of the browser: ${percent((own.user + own.system - makingMicros) / 1e6)}`);
} finally {
	await browser.close();
	await control.close({ how: 'stopped', code: null, message: 'the benchmark is over' });
	rmSync(folder, { recursive: true, force: true });
}
