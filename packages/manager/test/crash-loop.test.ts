// What a crash loop costs: a whole manager runs through a day on a fake clock, with scripted processes instead of real ones
// and a Discord that counts session starts. Its effect on real processes, and discord.js's own manager, are measured in
// test/bench/crash-loop.mjs.
import { fakeClock } from '@shardctl/test-support';
import { expect, it, onTestFinished, vi } from 'vitest';
import { assembleManager } from '../src/create-shard-manager.js';
import { resolveManagerOptions } from '../src/options/manager-options.js';
import { scriptedHost } from './scripted-host.js';

const minute = 60_000;
const day = 24 * 60 * minute;
const dailyStarts = 1000;
const reserve = 50;

/** Runs a fleet whose every process exits 100 ms after its login, and returns when its identifies were sent. */
async function crashLoop(workers: number, forMs: number) {
	const clock = fakeClock();
	const identifies: number[] = [];
	let deferred = 0;
	// Of the last 24 hours: no definition of Discord's day is stricter.
	const used = () => identifies.filter((at) => at > clock.monotonic() - day).length;
	vi.stubGlobal('fetch', async () =>
		Response.json({
			url: 'ws://gateway',
			shards: workers,
			session_start_limit: { total: dailyStarts, remaining: dailyStarts - used(), reset_after: day, max_concurrency: 16 },
		}),
	);
	onTestFinished(() => void vi.unstubAllGlobals());
	const host = scriptedHost(({ config, peer, exit, gone }) => {
		const [shardId] = config.shardIds as [number];
		const after = (ms: number, act: () => void) => clock.setTimeout(() => gone.aborted || act(), ms);
		const logIn = async () => {
			const slot = await peer.request('identify.acquire', { shardId }, { timeoutMs: 0 }).catch(() => undefined);
			if (!slot || gone.aborted) return;
			identifies.push(clock.monotonic());
			peer.notify('identify.sent', slot);
			after(300, () => {
				peer.notify('identify.confirmed', slot);
				peer.notify('shard.status', { shardId, status: 'ready' });
				after(100, () => exit(1));
			});
		};
		after(900, () => void logIn());
	});
	const options = resolveManagerOptions(import.meta.filename, {
		token: 'x',
		api: 'http://127.0.0.1:1/api',
		totalShards: workers,
		control: false,
		// The scripted host runs workers only.
		rest: 'direct',
		clock,
		heartbeatTimeoutMs: 0,
		logger: { info() {}, warn() {}, error() {} } as never,
	});
	const manager = assembleManager({ ...options, processHost: host });
	manager.on('identify:deferred', () => deferred++);
	const started = manager.spawn().catch(() => {});
	while (clock.monotonic() < forMs) {
		// In small steps while something runs, so that messages keep their order in time.
		await clock.advance(host.living() > 0 ? 50 : 2000);
		await new Promise(setImmediate);
	}
	const remaining = dailyStarts - used();
	await manager.stop({ graceMs: 0 });
	await started;
	expect(clock.pendingTimers()).toBe(0);
	return { identifies, remaining, deferred };
}

it('of one bot uses at most 3 identifies in its first minute, 7 in its first 10, and 40 in a day', async () => {
	const { identifies, remaining } = await crashLoop(1, day);
	const within = (ms: number) => identifies.filter((at) => at < ms).length;
	expect(within(minute)).toBeLessThanOrEqual(3);
	expect(within(10 * minute)).toBeLessThanOrEqual(7);
	// It is not given up for ever either.
	expect(identifies.length).toBeGreaterThan(20);
	expect(identifies.length).toBeLessThanOrEqual(40);
	expect(remaining).toBeGreaterThanOrEqual(dailyStarts - 40);
	process.stdout.write(
		`1 worker: ${within(minute)} identifies in a minute, ${within(10 * minute)} in 10, ${identifies.length} in a day\n`,
	);
});

it('of 64 bots keeps the reserve of the day, and reports that it waits', async () => {
	const { identifies, remaining, deferred } = await crashLoop(64, day - minute);
	expect(remaining).toBeGreaterThanOrEqual(reserve);
	expect(deferred).toBeGreaterThan(0);
	process.stdout.write(`64 workers: ${identifies.length} identifies in a day, ${remaining} of ${dailyStarts} left\n`);
});
