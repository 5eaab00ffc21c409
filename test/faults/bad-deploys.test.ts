// Deploys of versions that are bad in every common way: each is rolled back, whatever ends the old process first, and none
// affects the whole fleet: no other worker is replaced or ended, no session is lost, and the events keep their order.
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tempDir, waitFor } from '@shardctl/test-support';
import { ShardctlError } from 'shardctl';
import { describe, expect, it } from 'vitest';
import { fixture, isWhole } from './fleet.js';
import {
	type BotVersion,
	expectExactlyOnceInOrder,
	type ResidentFleet,
	startResidentFleet,
	withoutRepeats,
} from './resident-fleet.js';

const messageContent = 1 << 15;
const setup = {
	shards: 2,
	guilds: 10,
	simulator: { grantedIntents: messageContent },
	manager: { shardsPerWorker: 1, readyTimeoutMs: 12_000, heartbeatTimeoutMs: 4000, shutdownGraceMs: 2000 },
};

type DeployOptions = Parameters<ResidentFleet['manager']['deploy']>[0];

/** Before its take-over: the old process is unchanged. */
const neverReady: [BotVersion, RegExp][] = [
	['missing-module', /Cannot find module 'a-module-that-is-not-installed'/],
	['crash-at-boot', /a version that crashes at boot/],
	['ends-at-boot', /ended by itself/],
	['starts-a-manager', /ShardingManager/],
	['more-intents', /4014: a privileged intent/],
	['wrong-token', /4004|401|token/i],
	['crash-at-ready', /exit code 7/],
	['hang-at-boot', /did not log in within 12 s|was not ready within 12/],
	['blocks-at-boot', /did not log in within 12 s|was not ready within 12/],
];

/** Afterwards. */
const failsSoon: [BotVersion, RegExp][] = [
	['dies-soon', /failed \d+\.\d s after it took over: process \d+ failed \(exit code 1/],
	['ends-soon', /took over: process \d+ ended by itself/],
	['logs-out-soon', /took over: process \d+ ended by itself/],
	['blocks-soon', /took over: it has not answered for 4 s: something blocks its event loop/],
	['logs-errors', /took over: it logged more than 3 errors a minute, the last one: Error: the database is away/],
];

/** Deploys; resolves with the error, or null. */
async function deploy(fleet: ResidentFleet, options: DeployOptions = {}): Promise<ShardctlError | null> {
	try {
		await fleet.manager.deploy({ observeMs: 2500, maxErrorRate: 3, ...options });
		return null;
	} catch (error) {
		if (ShardctlError.is(error)) return error;
		throw error;
	}
}

const pids = (fleet: ResidentFleet) => [fleet.pidOf(0), fleet.pidOf(1)];

async function expectWhole(fleet: ResidentFleet): Promise<void> {
	await waitFor('every worker to be whole', () => fleet.manager.workers.every(isWhole));
	await waitFor('one process a worker', () => [...fleet.incarnations().values()].flat().length === 2);
	expect(fleet.manager.status).toBe('running');
}

describe('a version that fails', () => {
	it('before it takes over leaves the old processes unchanged, and no event is lost or handled twice', async () => {
		const fleet = await startResidentFleet(setup);
		const before = pids(fleet);
		const refused: unknown[] = [];
		fleet.manager.on('fleet:refused', ({ error }) => refused.push(error));
		const stopTalking = fleet.keepTalking(100);
		for (const [version, reason] of neverReady) {
			fleet.version(version);
			const error = await deploy(fleet);
			expect([version, error?.code]).toEqual([version, 'WORKER_NOT_READY']);
			expect(error?.message).toMatch(reason);
			expect(error?.message).toMatch(/; 2 of 2 workers were left unchanged$/);
			await expectWhole(fleet);
			expect(pids(fleet)).toEqual(before);
		}
		stopTalking();
		expectExactlyOnceInOrder(await fleet.handledAll());
		expect(await fleet.totals()).toMatchObject({ lost: 0, repeated: 0 });
		expect(refused).toEqual([]);
		const accepted = fleet.simulator.log.entries({ type: 'identify' }).filter(({ outcome }) => outcome === 'accepted');
		expect(accepted).toHaveLength(2);
		await fleet.stop();
	});

	it('after it took over is replaced by the old process, and no event is handled twice', async () => {
		const fleet = await startResidentFleet(setup);
		const before = pids(fleet);
		const stopTalking = fleet.keepTalking(100);
		for (const [version, reason] of failsSoon) {
			fleet.version(version);
			const error = await deploy(fleet);
			expect([version, error?.code]).toEqual([version, 'WORKER_NOT_READY']);
			expect(error?.message).toMatch(reason);
			expect(error?.message).toMatch(/; the old version runs again in 1 worker; 1 of 2 workers were left unchanged$/);
			await expectWhole(fleet);
			expect(pids(fleet)).toEqual(before);
			expect((await fleet.manager.getStats()).deploy).toMatchObject({ state: 'failed', error: error?.message });
		}
		stopTalking();
		const { lost } = await fleet.totals();
		// Only events in flight to a process that died can be lost, and they are counted.
		await waitFor('the events', () => withoutRepeats(fleet.handled()).length >= fleet.sent - lost);
		const handled = fleet.handled();
		expect(handled).toHaveLength(withoutRepeats(handled).length);
		fleet.expectNoIdentifySinceStart();
		await fleet.stop();
	});
});

/** Releases in their own folders, and a link to the current one. */
function releases() {
	const root = tempDir('shardctl-releases-');
	const link = join(root, 'current');
	const release = (version: BotVersion) => {
		const folder = join(root, `release-${version || 'good'}`);
		mkdirSync(folder, { recursive: true });
		const bot = JSON.stringify(fixture('counting-bot.cjs'));
		writeFileSync(join(folder, 'bot.cjs'), `globalThis.release = ${JSON.stringify(version)};\nrequire(${bot});\n`);
		rmSync(link, { force: true });
		symlinkSync(folder, link);
	};
	release('');
	return { bot: join(link, 'bot.cjs'), release };
}

/** The release that each worker runs. */
const running = async (fleet: ResidentFleet) => fleet.manager.broadcastEval('globalThis.release');

describe('with --first stop', () => {
	it('the old version is started again from its release, and every event waits for it', async () => {
		const { bot, release } = releases();
		const fleet = await startResidentFleet({ ...setup, bot });
		const refused: unknown[] = [];
		fleet.manager.on('fleet:refused', ({ error }) => refused.push(error));
		const untouched = fleet.pidOf(1);
		const stopTalking = fleet.keepTalking(50);
		for (const [version, reason] of [...neverReady.filter(([each]) => each !== 'hang-at-boot'), ...failsSoon]) {
			release(version);
			const error = await deploy(fleet, { first: 'stop' });
			expect([version, error?.code]).toEqual([version, 'WORKER_NOT_READY']);
			expect(error?.message).toMatch(
				new RegExp(reason.source.replace(/^.*did not log in.*$/, 'did not become ready'), reason.flags),
			);
			expect(error?.message).toMatch(/; the old version runs again in 1 worker; 1 of 2 workers were left unchanged$/);
			await expectWhole(fleet);
			expect(await running(fleet)).toEqual(['', '']);
			expect(fleet.pidOf(1)).toBe(untouched);
		}
		stopTalking();
		const { lost } = await fleet.totals();
		await waitFor('the events', () => withoutRepeats(fleet.handled()).length >= fleet.sent - lost);
		expect(fleet.handled()).toHaveLength(withoutRepeats(fleet.handled()).length);
		expect(refused).toEqual([]);
		// A worker that crashes keeps its version, although the link points to the bad one.
		const killed = fleet.pidOf(0);
		process.kill(killed, 'SIGKILL');
		await waitFor('another process', () => fleet.manager.workers[0]?.child.pid !== killed);
		await expectWhole(fleet);
		expect(await running(fleet)).toEqual(['', '']);
		release('');
		expect(await deploy(fleet, { first: 'stop', observeMs: 300 })).toBeNull();
		await fleet.stop();
	});

	it('and overwritten files, reports that the worker was started again from the same path', async () => {
		const fleet = await startResidentFleet(setup);
		fleet.version('dies-soon');
		const outcome = deploy(fleet, { first: 'stop' });
		await waitFor('the death', () => fleet.manager.deployStats()?.state === 'rolling-back');
		fleet.version('');
		expect((await outcome)?.message).toContain(
			'; 1 worker was started again from the same path, because the old process had to end first; 1 of 2',
		);
		await expectWhole(fleet);
		expectExactlyOnceInOrder(fleet.handled());
		await fleet.stop();
	});
});

it('a crash that starts a bad version from the disk costs that worker, and not the fleet', async () => {
	const fleet = await startResidentFleet(setup);
	const other = fleet.pidOf(1);
	const refused: unknown[] = [];
	fleet.manager.on('fleet:refused', ({ error }) => refused.push(error));
	fleet.version('wrong-token');
	process.kill(fleet.pidOf(0), 'SIGKILL');
	await waitFor('the worker to be given up, or to try again', () => {
		const [worker] = fleet.manager.workers;
		return worker !== undefined && worker.child.restarts > 0 && worker.child.state !== 'ready';
	});
	expect([fleet.manager.status, fleet.pidOf(1)]).toEqual(['degraded', other]);
	// The next deploy of a good version restores it.
	fleet.version('');
	expect(await deploy(fleet, { observeMs: 300 })).toBeNull();
	await expectWhole(fleet);
	expect(refused).toEqual([]);
	await fleet.stop();
});

it('a good version replaces one that hangs, with events in flight to it', async () => {
	const fleet = await startResidentFleet({ ...setup, manager: { ...setup.manager, heartbeatTimeoutMs: 60_000 } });
	fleet.version('blocks-soon');
	expect(await deploy(fleet, { observeMs: 0, parallel: 2 })).toBeNull();
	const hung = pids(fleet);
	const stopTalking = fleet.keepTalking(50);
	await waitFor('the bots to hang', async () => {
		const before = fleet.handled().length;
		await new Promise((resolve) => setTimeout(resolve, 500));
		return fleet.handled().length === before;
	});
	fleet.version('');
	expect(await deploy(fleet, { observeMs: 300 })).toBeNull();
	await expectWhole(fleet);
	expect(pids(fleet).filter((pid) => hung.includes(pid))).toEqual([]);
	stopTalking();
	const { lost } = await fleet.totals();
	await waitFor('the other events', () => withoutRepeats(fleet.handled()).length >= fleet.sent - lost);
	await fleet.stop();
});

it('a fleet that is stopped in the middle of a deploy leaves no process', async () => {
	for (const first of ['start', 'stop'] as const) {
		const fleet = await startResidentFleet(setup);
		const outcome = deploy(fleet, { first, observeMs: 60_000 });
		await waitFor('the watch', () => fleet.manager.deployStats()?.stage === 'watching the new process');
		await fleet.stop();
		expect(await outcome).toMatchObject({ code: 'MANAGER_STOPPED' });
	}
});
