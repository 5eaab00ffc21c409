// Faults in the middle of a deploy: whatever dies or hangs then, the worker's events continue in one process, none lost
// unless it was in flight to a process that died, and Discord sees nothing of it.

import { waitFor } from '@shardctl/test-support';
import { ShardctlError } from 'shardctl';
import { expect, it } from 'vitest';
import { isWhole } from './fleet.js';
import { expectExactlyOnceInOrder, type ResidentFleet, startResidentFleet } from './resident-fleet.js';

const setup = {
	shards: 2,
	guilds: 10,
	manager: { shardsPerWorker: 2, respawn: { initialDelayMs: 1, maxDelayMs: 1, maxRestarts: 1000 }, readyTimeoutMs: 20_000 },
};

/** Deploys; resolves with the error's code, or `deployed`. */
function deploy(fleet: ResidentFleet): Promise<string> {
	return fleet.manager.deploy({ observeMs: 0 }).then(
		() => 'deployed',
		(error: unknown) => (ShardctlError.is(error) ? error.code : String(error)),
	);
}

/** Resolves when the successor process has been forked. */
async function successorForked(fleet: ResidentFleet): Promise<number> {
	let pid = 0;
	fleet.manager.once('worker:spawned', (spawned) => {
		pid = spawned.pid;
	});
	await waitFor('the new process', () => pid !== 0);
	return pid;
}

async function endWell(fleet: ResidentFleet): Promise<void> {
	expectExactlyOnceInOrder(await fleet.handledAll());
	fleet.expectNoIdentifySinceStart();
	expect(await fleet.totals()).toMatchObject({ lost: 0, repeated: 0 });
	await fleet.stop();
	expect(fleet.processes()).toEqual([]);
}

it('the gateway process is killed: the deploy is cancelled, and the old process keeps running', async () => {
	const fleet = await startResidentFleet(setup);
	const stopTalking = fleet.keepTalking(200);
	const old = fleet.pidOf(0);
	const forked = successorForked(fleet);
	const outcome = deploy(fleet);
	await forked;
	process.kill(fleet.gatewayPids()[0] as number, 'SIGKILL');
	expect(await outcome).toBe('WORKER_NOT_READY');
	expect(fleet.pidOf(0)).toBe(old);
	await waitFor('the next deploy to succeed', async () => (await deploy(fleet)) === 'deployed');
	expect(fleet.pidOf(0)).not.toBe(old);
	stopTalking();
	await endWell(fleet);
});

it('the new process is killed: it is not retried, and the old process keeps running', async () => {
	const fleet = await startResidentFleet(setup);
	const stopTalking = fleet.keepTalking(200);
	const old = fleet.pidOf(0);
	const forked = successorForked(fleet);
	const outcome = deploy(fleet);
	process.kill(await forked, 'SIGKILL');
	expect(await outcome).toBe('WORKER_NOT_READY');
	expect(fleet.pidOf(0)).toBe(old);
	expect(fleet.incarnations()).toEqual(new Map([[0, [old]]]));
	stopTalking();
	await endWell(fleet);
});

it('the new process hangs at its boot: the deploy gives up in time', async () => {
	const fleet = await startResidentFleet({ ...setup, manager: { ...setup.manager, readyTimeoutMs: 8000 } });
	const stopTalking = fleet.keepTalking(200);
	const old = fleet.pidOf(0);
	fleet.version('hang-at-boot');
	expect(await deploy(fleet)).toBe('WORKER_NOT_READY');
	fleet.version('');
	expect(fleet.pidOf(0)).toBe(old);
	stopTalking();
	await endWell(fleet);
});

it('the old process is killed: its replacement and the deploy do not interfere', async () => {
	const fleet = await startResidentFleet(setup);
	const old = fleet.pidOf(0);
	const forked = successorForked(fleet);
	const outcome = deploy(fleet);
	await forked;
	process.kill(old, 'SIGKILL');
	expect(await outcome).toBe('deployed');
	await waitFor('the worker to be whole', () => fleet.manager.workers.every(isWhole));
	await waitFor('one process', () => [...fleet.incarnations().values()].flat().length === 1);
	for (let number = 0; number < 30; number++) fleet.say(number);
	await endWell(fleet);
});

it('the old process finishes its running handlers', async () => {
	const fleet = await startResidentFleet({ ...setup, manager: { ...setup.manager, env: { SLOW_MS: '300' } } });
	const stopTalking = fleet.keepTalking(200);
	for (let round = 0; round < 3; round++) expect(await deploy(fleet)).toBe('deployed');
	stopTalking();
	await endWell(fleet);
});

it('two deploys at once: one after the other', async () => {
	const fleet = await startResidentFleet(setup);
	const stopTalking = fleet.keepTalking(200);
	const outcomes = await Promise.all([
		deploy(fleet),
		fleet.manager.respawnShard(0),
		deploy(fleet),
		fleet.manager.respawnShard(1),
	]);
	expect(outcomes).toEqual(['deployed', true, 'deployed', true]);
	expect([...fleet.incarnations().values()].flat()).toHaveLength(1);
	stopTalking();
	await endWell(fleet);
});

it('a stop in the middle leaves nothing', async () => {
	const fleet = await startResidentFleet(setup);
	const forked = successorForked(fleet);
	const outcome = deploy(fleet);
	await forked;
	await fleet.stop();
	expect(fleet.processes()).toEqual([]);
	expect(await outcome).toMatch(/^(WORKER_NOT_READY|MANAGER_STOPPED)$/);
	expect(fleet.simulator.state().sessions).toEqual([]);
});
