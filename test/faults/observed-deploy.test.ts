// Deploys that are watched: what a bad version does after it took over ends the deploy, and the old version, whose files are overwritten,
// runs again. Named after reported cases.

import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { tempDir, waitFor } from '@shardctl/test-support';
import { ShardctlError } from 'shardctl';
import { expect, it } from 'vitest';
import { fixture, isWhole, makeFleet } from './fleet.js';
import { expectExactlyOnceInOrder, type ResidentFleet, startResidentFleet, withoutRepeats } from './resident-fleet.js';

const setup = { shards: 2, guilds: 10, manager: { shardsPerWorker: 1, readyTimeoutMs: 30_000 } };

type DeployOptions = Parameters<ResidentFleet['manager']['deploy']>[0];

/** Deploys; resolves with the error, or null. */
function deploy(fleet: ResidentFleet, options: DeployOptions): Promise<ShardctlError | null> {
	return fleet.manager.deploy(options).then(
		() => null,
		(error: unknown) => {
			if (ShardctlError.is(error)) return error;
			throw error;
		},
	);
}

const pids = (fleet: ResidentFleet) => [fleet.pidOf(0), fleet.pidOf(1)];

async function expectWhole(fleet: ResidentFleet): Promise<void> {
	await waitFor('every worker to be whole', () => fleet.manager.workers.every(isWhole));
	const live = [...fleet.incarnations().values()].flat();
	await waitFor('one process a worker', () => [...fleet.incarnations().values()].flat().length === 2).catch((error: unknown) => {
		throw new Error(`processes ${live.join(', ')}\n${fleet.story.slice(-40).join('\n')}`, { cause: error });
	});
}

it('real-01: a version that exits soon after it is ready ends the deploy at its first worker, and the old version runs again', async () => {
	const fleet = await startResidentFleet(setup);
	const before = pids(fleet);
	fleet.version('dies-soon');
	const error = await deploy(fleet, { observeMs: 20_000 });
	expect(error?.code).toBe('WORKER_NOT_READY');
	expect(error?.message).toMatch(
		/^the new process of worker 0 \(shard 0\) failed \d+\.\d s after it took over: process \d+ failed \(exit code 1/,
	);
	expect(error?.message).toContain('the old version runs again in 1 worker; 1 of 2 workers were left unchanged');
	await expectWhole(fleet);
	expect(pids(fleet)).toEqual(before);
	expect((await fleet.manager.getStats()).deploy).toMatchObject({ state: 'failed', done: 0, total: 2, error: error?.message });
	const from = fleet.handled().length;
	for (let number = 0; number < 20; number++) fleet.say(number);
	await fleet.handledAll();
	expect(
		new Set(
			fleet
				.handled()
				.slice(from)
				.map(({ pid }) => pid),
		),
	).toEqual(new Set(before));
	expectExactlyOnceInOrder(fleet.handled());
	fleet.expectNoIdentifySinceStart();
	// The version on disk is good again.
	fleet.version('');
	expect(await deploy(fleet, { observeMs: 500 })).toBeNull();
	expect(pids(fleet)).not.toContain(before[0]);
	await fleet.stop();
});

it('real-01, cancelled under load: every event is handled exactly once, in order, and the old processes are restored', async () => {
	const fleet = await startResidentFleet(setup);
	const before = pids(fleet);
	const stopTalking = fleet.keepTalking(200);
	const outcome = deploy(fleet, { observeMs: 60_000 });
	await waitFor('the new process to be watched', () => fleet.manager.deployStats()?.stage === 'watching the new process');
	const from = fleet.handled().length;
	await waitFor('events in the new process', () =>
		fleet
			.handled()
			.slice(from)
			.some(({ pid }) => !before.includes(pid)),
	);
	await fleet.manager.cancelDeploy();
	const error = await outcome;
	expect(error).toMatchObject({ code: 'CALL_CANCELLED' });
	expect(error?.message).toBe(
		'the deploy was called off; the old version runs again in 1 worker; 1 of 2 workers were left unchanged',
	);
	await expectWhole(fleet);
	expect(pids(fleet)).toEqual(before);
	stopTalking();
	expectExactlyOnceInOrder(await fleet.handledAll());
	expect(await fleet.totals()).toMatchObject({ lost: 0, repeated: 0 });
	fleet.expectNoIdentifySinceStart();
	await fleet.stop();
});

it('a watched deploy loses nothing, and a canary whose worker fails in the bake is rolled back', async () => {
	const fleet = await startResidentFleet(setup);
	const first = pids(fleet);
	const stopTalking = fleet.keepTalking(200);
	expect(await deploy(fleet, { observeMs: 1000 })).toBeNull();
	stopTalking();
	expectExactlyOnceInOrder(await fleet.handledAll());
	expect(await fleet.totals()).toMatchObject({ lost: 0, repeated: 0 });
	await expectWhole(fleet);
	const before = pids(fleet);
	expect(before.filter((pid) => first.includes(pid))).toEqual([]);
	const outcome = deploy(fleet, { observeMs: 200, canary: 1, bakeMs: 60_000 });
	await waitFor('the bake', () => fleet.manager.deployStats()?.state === 'baking');
	process.kill(fleet.pidOf(0), 'SIGKILL');
	expect((await outcome)?.message).toContain('was killed by SIGKILL');
	await expectWhole(fleet);
	expect(pids(fleet)).toEqual(before);
	await fleet.stop();
});

it('real-04: a bot that listens on a port can be deployed, restarted and respawned without losing an event', async () => {
	const port = await freePort();
	const fleet = await startResidentFleet({
		...setup,
		manager: { ...setup.manager, shardsPerWorker: 2, env: { PORT: String(port) } },
	});
	const reasons: string[] = [];
	fleet.manager.on('worker:stop-first', ({ reason }) => reasons.push(reason));
	const stopTalking = fleet.keepTalking(100);
	const seen = [fleet.pidOf(0)];
	const changed = () => {
		const pid = fleet.pidOf(0);
		expect(seen).not.toContain(pid);
		seen.push(pid);
	};
	expect(await deploy(fleet, { observeMs: 300 })).toBeNull();
	changed();
	await fleet.manager.respawnAll({ rolling: true });
	changed();
	await fleet.manager.respawnAll({ rolling: false });
	changed();
	expect(await fleet.manager.respawnShard(0)).toBe(true);
	changed();
	expect(reasons).toHaveLength(4);
	expect(reasons[0]).toBe(`the new process cannot listen on ${port} while the old one does (EADDRINUSE)`);
	expect(await deploy(fleet, { first: 'stop', observeMs: 300 })).toBeNull();
	changed();
	expect(reasons).toHaveLength(4);
	stopTalking();
	expectExactlyOnceInOrder(withoutRepeats(await fleet.handledAll()));
	expect(await fleet.totals()).toMatchObject({ lost: 0, repeated: 0 });
	await fleet.stop();
});

it('real-05: a deploy of a fleet that was never ready makes it ready', async () => {
	const folder = tempDir('shardctl-never-ready-');
	const [HANDLED, MODE] = [join(folder, 'handled'), join(folder, 'mode')];
	writeFileSync(MODE, 'hang-at-boot');
	const fleet = await makeFleet({
		file: fixture('counting-bot.cjs'),
		manager: { gateway: 'resident', readyTimeoutMs: 60_000, env: { HANDLED, MODE } },
	});
	const spawned = fleet.manager.spawn();
	const ready = once(fleet.manager, 'fleet:ready');
	await waitFor('processes', () => fleet.manager.workers.filter(({ child }) => child.pid !== null).length === 2);
	rmSync(MODE);
	await fleet.manager.deploy({ observeMs: 200 });
	await ready;
	expect((await spawned).map((shard) => shard.status)).toEqual(['ready', 'ready']);
	expect(fleet.manager.status).toBe('running');
	await fleet.stop();
});

it('a new version whose port another program uses fails, and the old process keeps running', async () => {
	const other = createServer();
	await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
	const fleet = await startResidentFleet({ ...setup, manager: { ...setup.manager, shardsPerWorker: 2 } });
	const before = fleet.pidOf(0);
	fleet.version(`port ${(other.address() as { port: number }).port}`);
	const error = await deploy(fleet, { observeMs: 300 });
	expect(error?.message).toContain('EADDRINUSE');
	expect(fleet.pidOf(0)).toBe(before);
	await new Promise((resolve) => other.close(resolve));
	await fleet.stop();
});

it('deploys wait for each other, and a queued one can be cancelled', async () => {
	const fleet = await startResidentFleet(setup);
	const first = fleet.manager.startDeploy({ observeMs: 60_000 });
	const second = fleet.manager.startDeploy({ observeMs: 0 });
	expect([first.state, second.state]).toEqual(['queued', 'queued']);
	const secondEnds = fleet.manager.waitForDeploy(second.id).catch((error: unknown) => error);
	expect(fleet.manager.deployStats()).toMatchObject({ id: first.id, queued: 1 });
	await fleet.manager.cancelDeploy(second.id);
	expect(await secondEnds).toMatchObject({ code: 'CALL_CANCELLED' });
	const firstEnds = fleet.manager.waitForDeploy(first.id).catch((error: unknown) => error);
	await fleet.manager.cancelDeploy(first.id);
	expect(await firstEnds).toMatchObject({ code: 'CALL_CANCELLED' });
	await expectWhole(fleet);
	await expect(fleet.manager.cancelDeploy()).rejects.toThrow(/no deploy is running/);
	expect(() => fleet.manager.startDeploy({ observMs: 1 } as never)).toThrow(/did you mean observeMs/);
	await fleet.stop();
});

async function freePort(): Promise<number> {
	const server = createServer();
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	const { port } = server.address() as { port: number };
	await new Promise((resolve) => server.close(resolve));
	return port;
}
