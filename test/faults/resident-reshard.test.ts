// A fleet is resharded while numbered events flow: every one is handled once, in order, by workers that are not restarted.
import { expect, it } from 'vitest';
import { expectExactlyOnceInOrder, type ResidentFleet, startResidentFleet } from './resident-fleet.js';

const totalShards = 32;

function startFleet(sessions: number, more: Parameters<typeof startResidentFleet>[0]['manager'] = {}): Promise<ResidentFleet> {
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
		simulator: { identifyWindowMs: 100 },
	});
}

const identifies = ({ simulator }: ResidentFleet) => simulator.log.entries({ type: 'identify' }).length;
const sessionsOf = async (fleet: ResidentFleet) =>
	(await fleet.manager.getStats()).gateways?.flatMap(({ sessions }) => sessions.map(({ id, of, status }) => [id, of, status]));

it('goes from 8 sessions to 16, 32 and 16 with every event handled once', { timeout: 300_000 }, async () => {
	const fleet = await startFleet(8);
	const pids = fleet.manager.workers.map(({ child }) => child.pid);
	expect(identifies(fleet)).toBe(8);
	const stopTalking = fleet.keepTalking(300);
	let expected = 8;
	for (const sessions of [16, 32, 16]) {
		expect(await fleet.manager.reshard({ sessions, dryRun: true })).toMatchObject({ to: sessions, identifies: sessions });
		const outcome = await fleet.manager.reshard({ sessions });
		expected += sessions;
		expect(outcome).toMatchObject({ to: sessions, identifies: sessions });
		expect(await sessionsOf(fleet)).toEqual(Array.from({ length: sessions }, (_, id) => [id, sessions, 'ready']));
		expect(identifies(fleet)).toBe(expected);
	}
	stopTalking();
	expectExactlyOnceInOrder(await fleet.handledAll());
	expect(fleet.manager.workers.map(({ child }) => child.pid)).toEqual(pids);
	expect(await fleet.totals()).toMatchObject({ lost: 0, repeated: 0 });
	expect(fleet.simulator.violations({ hardOnly: true })).toEqual([]);
	await fleet.stop();
});
