// A fleet is resharded while numbered events flow: every one is handled once, in order, by workers that are not restarted.
import { waitFor } from '@shardctl/test-support';
import type { ShardManagerOptions } from 'shardctl';
import { expect, it } from 'vitest';
import { expectExactlyOnceInOrder, type ResidentFleet, startResidentFleet } from './resident-fleet.js';

const totalShards = 32;
/** Events a second; 500 is the rate of the figures that are published. */
const perSecond = Number(process.env.SHARDCTL_RESHARD_RATE ?? 300);
/** How late Discord is on the sessions of the new count, in ms. */
const skewMs = Number(process.env.SHARDCTL_RESHARD_SKEW ?? 0);

function startFleet(
	sessions: number,
	{ maxConcurrency = 16, ...more }: ShardManagerOptions & { maxConcurrency?: number } = {},
): Promise<ResidentFleet> {
	return startResidentFleet({
		shards: sessions,
		guilds: 400,
		manager: {
			totalShards,
			shardsPerWorker: 16,
			identifyWindowMs: 100,
			...more,
			gateway: { mode: 'resident', sessions, shardsPerGateway: totalShards, delivery: 'at-least-once' },
		},
		simulator: { identifyWindowMs: 100, maxConcurrency },
	});
}

const identifies = ({ simulator }: ResidentFleet) => simulator.log.entries({ type: 'identify' }).length;
const sessionsOf = async (fleet: ResidentFleet) =>
	(await fleet.manager.getStats()).gateways?.flatMap(({ sessions }) => sessions.map(({ id, of, status }) => [id, of, status]));

it('goes from 8 sessions to 16, 32 and 16 with every event handled once', { timeout: 300_000 }, async () => {
	const fleet = await startFleet(8);
	const pids = fleet.manager.workers.map(({ child }) => child.pid);
	expect(identifies(fleet)).toBe(8);
	const stopTalking = fleet.keepTalking(perSecond);
	const pauses: number[] = [];
	let expected = 8;
	for (const sessions of [16, 32, 16]) {
		expect(await fleet.manager.reshard({ sessions, dryRun: true })).toMatchObject({ to: sessions, identifies: sessions });
		if (skewMs > 0) fleet.simulator.faults.latency({ ms: skewMs, shardCount: sessions, forMs: 60_000 });
		const outcome = await fleet.manager.reshard({ sessions });
		expected += sessions;
		expect(outcome).toMatchObject({ to: sessions, identifies: sessions });
		pauses.push(outcome.longestPauseMs);
		expect(await sessionsOf(fleet)).toEqual(Array.from({ length: sessions }, (_, id) => [id, sessions, 'ready']));
		expect(identifies(fleet)).toBe(expected);
	}
	stopTalking();
	const handled = await fleet.handledAll();
	expectExactlyOnceInOrder(handled);
	process.stderr.write(
		`notice: at ${perSecond} events/s and ${skewMs} ms of skew no event was delivered for at most ${pauses.join(', ')} ms; the longest way of an event into its handler took ${fleet.longestWaitMs(handled)} ms\n`,
	);
	expect(fleet.manager.workers.map(({ child }) => child.pid)).toEqual(pids);
	expect(await fleet.totals()).toMatchObject({ lost: 0, repeated: 0 });
	expect(fleet.simulator.violations({ hardOnly: true })).toEqual([]);
	await fleet.stop();
});

it('loses no event when a worker and a gateway process are killed in the middle, and continues', {
	timeout: 300_000,
}, async () => {
	const fleet = await startFleet(4, { maxConcurrency: 2, respawn: { initialDelayMs: 1, maxDelayMs: 1 } });
	// Two identifies at a time: one group after the other.
	const begun: string[] = [];
	const nextGroup = () => {
		const before = begun.length;
		return waitFor('the next group of sessions', () => begun.length > before);
	};
	fleet.manager.on('gateway:notice', ({ kind, message }) => {
		if (kind === 'reshard:begun') begun.push(message);
	});
	const stopTalking = fleet.keepTalking(200);
	const resharded = fleet.manager.reshard({ sessions: 8 });
	await waitFor('it to have begun', () => begun.length > 0);
	process.kill(fleet.pidOf(0), 'SIGKILL');
	await nextGroup();
	process.kill(fleet.gatewayPids()[0] as number, 'SIGKILL');
	expect(await resharded).toMatchObject({ from: 4, to: 8 });
	expect(await sessionsOf(fleet)).toEqual(Array.from({ length: 8 }, (_, id) => [id, 8, 'ready']));
	stopTalking();
	const handled = await fleet.handledAll();
	// An event in flight to a worker that is killed is sent again: the first time counts.
	const seen = new Set<string>();
	expectExactlyOnceInOrder(
		handled.filter(({ guildId, number }) => !seen.has(`${guildId} ${number}`) && seen.add(`${guildId} ${number}`)),
	);
	expect(fleet.simulator.violations({ hardOnly: true })).toEqual([]);
	await fleet.stop();
});
