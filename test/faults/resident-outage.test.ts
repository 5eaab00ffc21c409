// Faults between gateway processes and Discord stay there: workers keep their connections and miss nothing.
import { waitFor } from '@shardctl/test-support';
import { expect, it } from 'vitest';
import { expectExactlyOnceInOrder, type ResidentFleet, startResidentFleet } from './resident-fleet.js';

const setup = { shards: 4, guilds: 20, manager: { shardsPerWorker: 2 } };

async function upstreamIs(fleet: ResidentFleet, wanted: 'ready' | 'away'): Promise<void> {
	await waitFor(`Discord to be ${wanted}`, async () => {
		const sessions = (await fleet.manager.getStats()).gateways?.flatMap((gateway) => gateway.sessions) ?? [];
		return sessions.length === setup.shards && sessions.every(({ status }) => (status === 'ready') === (wanted === 'ready'));
	});
}

/** Fails if a worker has noticed anything. */
async function expectWorkersUndisturbed(fleet: ResidentFleet, pids: unknown[]): Promise<void> {
	expect(fleet.story.filter((line) => /reconnecting|resumed$|disconnected \d/.test(line))).toEqual([]);
	expect(fleet.manager.workers.map(({ child }) => child.pid)).toEqual(pids);
	expect(await fleet.totals()).toMatchObject({ lost: 0, repeated: 0, overflowed: 0, workerResumes: 0 });
}

it('survives a network outage, resumes every session, and delivers every event', async () => {
	const fleet = await startResidentFleet({ ...setup, simulator: { allowRemote: true }, network: true });
	const pids = fleet.manager.workers.map(({ child }) => child.pid);
	const stopTalking = fleet.keepTalking(200);
	await fleet.network?.cut();
	await upstreamIs(fleet, 'away');
	const attempts = () => fleet.story.filter((line) => line.includes('upstream:disconnected')).length;
	await waitFor('attempts that are refused', () => attempts() >= 3 * setup.shards);
	expect((await fleet.manager.getStats()).manager.status).toBe('degraded');
	await fleet.network?.restore();
	await upstreamIs(fleet, 'ready');
	expect((await fleet.manager.getStats()).manager.status).toBe('running');
	stopTalking();
	expectExactlyOnceInOrder(await fleet.handledAll());
	await expectWorkersUndisturbed(fleet, pids);
	expect((await fleet.totals()).resumes).toBe(setup.shards);
	fleet.expectNoIdentifySinceStart();
	await fleet.stop();
});

it('follows Discord through op 7, a resumable op 9, closes and dead connections', async () => {
	const fleet = await startResidentFleet({ ...setup, simulator: { heartbeatIntervalMs: 1000, heartbeatGraceFactor: 100 } });
	const pids = fleet.manager.workers.map(({ child }) => child.pid);
	const { faults } = fleet.simulator;
	const stopTalking = fleet.keepTalking(200);
	let resumes = 0;
	for (const fault of [
		() => faults.reconnect({}),
		() => faults.invalidate({ resumable: true }),
		() => faults.drop({}),
		() => faults.withholdAcks({}),
	]) {
		fault();
		resumes += setup.shards;
		await waitFor('every session to resume', async () => (await fleet.totals()).resumes >= resumes);
	}
	faults.clear();
	await upstreamIs(fleet, 'ready');
	stopTalking();
	expectExactlyOnceInOrder(await fleet.handledAll());
	await expectWorkersUndisturbed(fleet, pids);
	expect(fleet.simulator.log.entries({ type: 'identify' })).toHaveLength(setup.shards);
	await fleet.stop();
});

it('starts a new session when Discord has ended the old one, and workers see only the differences', async () => {
	const fleet = await startResidentFleet(setup);
	const pids = fleet.manager.workers.map(({ child }) => child.pid);
	fleet.simulator.faults.invalidate({ resumable: false });
	await waitFor('new sessions', async () => (await fleet.totals()).identifies === 2 * setup.shards);
	await upstreamIs(fleet, 'ready');
	for (let guild = 0; guild < setup.guilds; guild++) fleet.say(guild);
	expectExactlyOnceInOrder(await fleet.handledAll());
	await expectWorkersUndisturbed(fleet, pids);
	expect(await fleet.manager.fetchClientValues('guilds.cache.size')).toEqual([10, 10]);
	expect(fleet.simulator.log.entries({ type: 'identify' })).toHaveLength(2 * setup.shards);
	await fleet.stop();
});
