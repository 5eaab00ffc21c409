// Workers and gateway processes are killed under load: Discord sees no identify, and the events in flight to a dead worker are counted.
import { waitFor } from '@shardctl/test-support';
import { expect, it } from 'vitest';
import { isWhole } from './fleet.js';
import { expectExactlyOnceInOrder, type Handled, type ResidentFleet, startResidentFleet } from './resident-fleet.js';

/** The load under which workers are killed. */
const load = { shards: 8, guilds: 200, perSecond: 500, kills: 50 };
const noBackoff = { initialDelayMs: 1, maxDelayMs: 1, maxRestarts: 1000 };

/** Kills a worker, and waits until its shards are ready again. */
async function killWorker(fleet: ResidentFleet, workerId: number): Promise<void> {
	const pid = fleet.pidOf(workerId);
	process.kill(pid, 'SIGKILL');
	const worker = fleet.manager.workers[workerId];
	await waitFor(`worker ${workerId} to be back`, () => worker && isWhole(worker) && worker.child.pid !== pid);
}

/** Kills workers, all of them at the same time and each again as soon as it is ready, until the given number of kills. */
async function killWorkers(fleet: ResidentFleet, kills: number): Promise<void> {
	let left = kills;
	const lane = async (workerId: number) => {
		while (left-- > 0) await killWorker(fleet, workerId);
	};
	await Promise.all(fleet.manager.workers.map(({ id }) => lane(id)));
}

function repeated(handled: readonly Handled[]): number {
	return handled.length - new Set(handled.map(({ guildId, number }) => `${guildId} ${number}`)).size;
}

it('kills workers: at most the events in flight are lost, and they are counted', async () => {
	const fleet = await startResidentFleet({ ...load, manager: { shardsPerWorker: 2, respawn: noBackoff } });
	const stopTalking = fleet.keepTalking(load.perSecond);
	await killWorkers(fleet, load.kills);
	stopTalking();
	const { sent } = fleet;
	await waitFor('every event to be with a worker', async () => {
		const stats = (await fleet.manager.getStats()).gateways?.flatMap(({ shards }) => shards) ?? [];
		return stats.every(({ bufferedEvents }) => bufferedEvents === 0);
	});
	const handled = fleet.handled();
	const { lost } = await fleet.totals();
	expect(repeated(handled)).toBe(0);
	expect(handled.length).toBeLessThanOrEqual(sent);
	expect(sent - handled.length).toBeLessThanOrEqual(lost);
	// B11: the total of the fleet is that of its gateway processes, none of which has died.
	await waitFor('the total of the fleet', async () => (await fleet.manager.getStats()).losses?.events === lost);
	fleet.expectNoIdentifySinceStart();
	await fleet.stop();
});

it('kills workers with delivery at least once: nothing is lost, and only unconfirmed events are repeated', async () => {
	const fleet = await startResidentFleet({
		...load,
		manager: { shardsPerWorker: 2, respawn: noBackoff, gateway: { mode: 'resident', delivery: 'at-least-once' } },
	});
	const stopTalking = fleet.keepTalking(load.perSecond);
	await killWorkers(fleet, load.kills);
	stopTalking();
	await fleet.handledAll();
	const totals = await fleet.totals();
	expect(totals).toMatchObject({ lost: 0, poisoned: 0, overflowed: 0 });
	expect(repeated(fleet.handled())).toBeLessThanOrEqual(totals.repeated);
	fleet.expectNoIdentifySinceStart();
	await fleet.stop();
});

it('sets an event aside that kills its worker repeatedly', async () => {
	const fleet = await startResidentFleet({
		shards: 1,
		guilds: 1,
		manager: {
			respawn: noBackoff,
			gateway: { mode: 'resident', delivery: 'at-least-once' },
			env: { POISON: '3' },
		},
	});
	for (let number = 0; number < 5; number++) fleet.say(0);
	const numbers = () => new Set(fleet.handled().map(({ number }) => number));
	await waitFor('the events behind the poison to be handled', () => numbers().has(4) && numbers().has(5));
	await fleet.allReady();
	expect(numbers()).toEqual(new Set([1, 2, 4, 5]));
	expect(await fleet.totals()).toMatchObject({ poisoned: 1, lost: 0 });
	await waitFor('the loss', async () => (await fleet.manager.getStats()).losses?.byReason.poisoned === 1);
	fleet.expectNoIdentifySinceStart();
	await fleet.stop();
});

it('B11: states one total of what was lost, which outlives the processes that counted it', async () => {
	const fleet = await startResidentFleet({ shards: 1, guilds: 1, manager: { respawn: noBackoff } });
	const losses = async () => (await fleet.manager.getStats()).losses;
	const gateway = async () => (await fleet.manager.getStats()).gateways?.[0];
	expect(await losses()).toMatchObject({ events: 0, sessions: 0, last: null });
	await fleet.manager.broadcastEval('setTimeout(() => { for (;;); }, 0); 0');
	for (let number = 0; number < 5; number++) fleet.say(0);
	await waitFor('events that the worker does not confirm', async () => ((await gateway())?.shards[0]?.bufferedEvents ?? 0) >= 5);
	await killWorker(fleet, 0);
	await waitFor('the loss', async () => ((await losses())?.events ?? 0) >= 5);
	const { events = 0, last } = (await losses()) ?? {};
	expect(last).toMatchObject({ reason: 'worker-died', shardIds: [0], events });

	const [pid] = fleet.gatewayPids();
	process.kill(pid as number, 'SIGKILL');
	await waitFor('the next gateway process', async () => {
		const next = await gateway();
		return next?.pid !== pid && next?.sessions[0]?.status === 'ready';
	});
	expect((await gateway())?.shards[0]?.lost).toBe(0);
	expect(await losses()).toMatchObject({ events, sessions: 0, byReason: { 'worker-died': events } });

	fleet.simulator.faults.invalidate({ shard: 0 });
	await waitFor('another session', async () => (await losses())?.sessions === 1);
	expect((await losses())?.last).toMatchObject({ reason: 'session-replaced', shardIds: [0], events: null });
	await fleet.allReady();
	await fleet.stop();
});

it('kills gateway processes: Discord resumes, workers resume, and every event is handled exactly once', async () => {
	const fleet = await startResidentFleet({
		shards: 4,
		guilds: 40,
		manager: { shardsPerWorker: 2, respawn: noBackoff, gateway: { mode: 'resident', shardsPerGateway: 2 } },
	});
	const workers = fleet.manager.workers.map(({ child }) => child.pid);
	const statuses: string[] = [];
	fleet.manager.on('gateway:exited', () => statuses.push(fleet.manager.status));
	const stopTalking = fleet.keepTalking(500);
	for (let kill = 0; kill < 20; kill++) {
		const pid = fleet.gatewayPids()[kill % 2] as number;
		process.kill(pid, 'SIGKILL');
		await waitFor('the gateway process to be back, with its sessions and its worker', async () => {
			const gateway = (await fleet.manager.getStats()).gateways?.[kill % 2];
			const { sessions = [], shards = [] } = gateway ?? {};
			const well = sessions.every(({ status }) => status === 'ready') && shards.every(({ worker }) => worker === 'connected');
			return gateway?.pid !== pid && shards.length === 2 && well;
		});
	}
	stopTalking();
	expectExactlyOnceInOrder(await fleet.handledAll());
	fleet.expectNoIdentifySinceStart();
	expect(fleet.manager.workers.map(({ child }) => child.pid)).toEqual(workers);
	expect(statuses).toEqual(Array.from({ length: 20 }, () => 'degraded'));
	expect((await fleet.manager.getStats()).manager.status).toBe('running');
	await fleet.stop();
});

it('hands over from one gateway process to the next on request', async () => {
	const fleet = await startResidentFleet({ shards: 2, guilds: 10, manager: { shardsPerWorker: 2 } });
	const workers = fleet.manager.workers.map(({ child }) => child.pid);
	const stopTalking = fleet.keepTalking(200);
	for (let round = 0; round < 3; round++) await fleet.manager.restartGateways();
	stopTalking();
	expectExactlyOnceInOrder(await fleet.handledAll());
	fleet.expectNoIdentifySinceStart();
	expect(fleet.manager.workers.map(({ child }) => child.pid)).toEqual(workers);
	await fleet.stop();
});
