// What a bot costs that dies 100 ms after its login, all day: every start of it is an IDENTIFY for each of its shards,
// Discord allows 1000 of them a day, and resets the token of a bot that exceeds that.
import { fakeClock } from '@shardctl/test-support';
import { describe, expect, it } from 'vitest';
import { FakeHost } from '../test/fake-host.js';
import { defaultRestartPolicy, type RestartPolicy, SupervisedChild } from './index.js';

const minute = 60_000;
const day = 24 * 60 * minute;
/** From the fork to the login of a small bot, and from there to its death. */
const bootMs = 900;
const livesMs = 100;

/** When the processes of such a bot were started, in ms from the first, over `forMs` of simulated time. */
async function startsOf({
	policy,
	random,
	forMs,
}: {
	policy: RestartPolicy;
	random: () => number;
	forMs: number;
}): Promise<number[]> {
	const clock = fakeClock();
	const host = new FakeHost();
	const starts: number[] = [];
	const child = new SupervisedChild({
		spec: { id: 'loop', file: 'bot.js', env: {} },
		policy,
		clock,
		random,
		host,
		readyTimeoutMs: 30_000,
		shutdownGraceMs: 10_000,
		heartbeat: { intervalMs: 0, timeoutMs: 0 },
		connect: (_, epoch) => {
			const process = host.current;
			starts.push(clock.monotonic());
			clock.setTimeout(() => {
				child.markSpent(epoch);
				child.markReady();
			}, bootMs);
			clock.setTimeout(() => process.exit(1), bootMs + livesMs);
			return { ping: async () => {}, shutdown: async () => {}, closed: () => {} };
		},
	});
	child.start();
	while (clock.monotonic() < forMs) await clock.advance(minute);
	const stopped = child.stop();
	await clock.advance(minute);
	await stopped;
	expect(clock.pendingTimers()).toBe(0);
	return starts.filter((at) => at < forMs);
}

describe('a bot that dies 100 ms after its login, under the default policy', () => {
	// The extremes of the jitter are the extremes of the count.
	it.each([
		['jitter 0', () => 0],
		['jitter 0.5', () => 0.5],
		['jitter 1', () => 0.999_999],
	])('is started at most 3 times in a minute, 7 times in 10 minutes and 40 times in a day: %s', async (_what, random) => {
		const starts = await startsOf({ policy: defaultRestartPolicy, random, forMs: day });
		const within = (ms: number) => starts.filter((at) => at < ms).length;
		expect(within(minute)).toBeLessThanOrEqual(3);
		expect(within(10 * minute)).toBeLessThanOrEqual(7);
		expect(starts.length).toBeLessThanOrEqual(40);
		// It is not given up: the first restart is immediate, and there is still an attempt about every hour.
		expect(starts[1]).toBeLessThan(bootMs + livesMs + 10);
		const last = starts.at(-1) ?? 0;
		expect(day - last).toBeLessThan(70 * minute);
	});

	it('starts 6 times, then cools down for longer and longer', async () => {
		const starts = await startsOf({ policy: defaultRestartPolicy, random: () => 0, forMs: day });
		const pauses = starts.slice(1).map((at, index) => Math.round((at - (starts[index] as number)) / minute));
		expect(pauses.slice(0, 11)).toEqual([0, 0, 1, 1, 1, 5, 10, 20, 40, 60, 60]);
		expect({ tenMinutes: starts.filter((at) => at < 10 * minute).length, day: starts.length }).toEqual({
			tenMinutes: 7,
			day: 32,
		});
	});

	it('leaves more than nine tenths of the daily budget, of which a manager without a policy would use all in 17 minutes', async () => {
		const withPolicy = await startsOf({ policy: defaultRestartPolicy, random: Math.random, forMs: day });
		expect(withPolicy.length).toBeLessThan(100);
		const immediate: RestartPolicy = { ...defaultRestartPolicy, initialDelayMs: 0, maxRestarts: Number.POSITIVE_INFINITY };
		const without = await startsOf({ policy: immediate, random: () => 0, forMs: 17 * minute });
		expect(without.length).toBeGreaterThan(1000);
	});
});
