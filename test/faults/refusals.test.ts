// When Discord refuses for good, or every worker fails for good: the right exit status, not one further identify, nothing left.
import { createSimulator, type SimulatorOptions } from '@shardctl/simulator';
import { cliSandbox, waitFor } from '@shardctl/test-support';
import { expect, it, onTestFinished } from 'vitest';
import { makeFleet, startFleet, tinyBot } from './fleet.js';
import { skippingClock } from './skipping-clock.js';

/** After this time Discord's last response about the gateway is old enough to be requested again. */
const answerIsOldMs = 5100;

async function simulated(options: SimulatorOptions = {}) {
	const simulator = await createSimulator({ guilds: 4, shards: 3, maxConcurrency: 16, ...options });
	onTestFinished(() => simulator.stop());
	const identifies = () => simulator.log.entries({ type: 'identify' }).length;
	return { simulator, identifies, env: { DISCORD_TOKEN: simulator.token, SHARDCTL_API: simulator.url } };
}

it('a fatal close code while running stops only the affected worker, without another identify', async () => {
	const fleet = await startFleet({ simulator: { shards: 3 } });
	const neighbours = [fleet.pidOf(0), fleet.pidOf(2)];
	const identifies = () => fleet.simulator.log.entries({ type: 'identify' }).length;
	const before = identifies();
	fleet.simulator.faults.close(4014, { shard: 1 });
	await waitFor('the worker to be given up', () => fleet.manager.workers[1]?.child.state === 'failed');
	expect(fleet.manager.workers[1]?.child.lastExit?.reason).toBe('fatal');
	expect([fleet.pidOf(0), fleet.pidOf(2)]).toEqual(neighbours);
	expect(fleet.manager.status).toBe('degraded');
	// Another worker exits now: it must not identify either.
	process.kill(fleet.pidOf(0), 'SIGKILL');
	await waitFor('that one to be given up', () => fleet.manager.workers[0]?.child.state === 'failed');
	expect(identifies()).toBe(before);
	// A user who requests a restart has fixed the cause.
	await expect(fleet.manager.respawnShard(1)).resolves.toBe(true);
	expect(identifies()).toBe(before + 1);
	await fleet.stop();
});

it('`shardctl start` exits with status 4 and leaves nothing after a fatal close code has stopped the last worker', async () => {
	const { simulator, identifies, env } = await simulated({ shards: 2 });
	const cli = cliSandbox();
	const run = cli.run(['start', tinyBot], { env });
	await run.message(/^fleet ready/);
	simulator.faults.close(4004);
	expect(await run.exit).toBe(4);
	expect(identifies()).toBe(2);
	expect(cli.survivors()).toEqual([]);
});

it('a token that Discord no longer accepts (401) at a restart stops the worker without further identifies', async () => {
	const clock = skippingClock();
	const fleet = await startFleet({ simulator: { shards: 2 }, manager: { clock } });
	const identifies = () => fleet.simulator.log.entries({ type: 'identify' }).length;
	const before = identifies();
	fleet.simulator.faults.restStatus({ status: 401 });
	clock.skip(answerIsOldMs);
	process.kill(fleet.pidOf(0), 'SIGKILL');
	await waitFor('the worker to be given up', () => fleet.manager.workers[0]?.child.state === 'failed');
	expect(fleet.manager.workers[0]?.child.lastExit?.reason).toBe('fatal');
	expect(identifies()).toBe(before);
	const refused = new Promise<unknown>((resolve) => fleet.manager.once('fleet:refused', ({ error }) => resolve(error)));
	process.kill(fleet.pidOf(1), 'SIGKILL');
	expect(await refused).toMatchObject({ code: 'TOKEN_INVALID' });
	expect(identifies()).toBe(before);
	await fleet.stop();
});

it('when every worker fails at the start, it exits with status 5 and leaves nothing', async () => {
	const { env } = await simulated({ shards: 2 });
	const cli = cliSandbox();
	const crashing = new URL('fixtures/crashes.cjs', import.meta.url).pathname;
	const run = cli.run(['start', crashing], { env });
	expect(await run.exit).toBe(5);
	expect(run.stdout() + run.stderr()).toContain('2 of 2 workers were given up; nothing is left running');
	expect(cli.survivors()).toEqual([]);
});

it('when some workers fail, the error names them and the others keep running; a failed one restarts after its cool-down', async () => {
	const fleet = await makeFleet({
		simulator: { shards: 3 },
		manager: { respawn: { initialDelayMs: 10, maxDelayMs: 20, maxRestarts: 2, cooldownMs: 1500, windowMs: 60_000 } },
	});
	fleet.dieAtStart(1, 3);
	await expect(fleet.manager.spawn()).rejects.toMatchObject({
		code: 'WORKERS_FAILED',
		message: expect.stringMatching(
			/^1 of 3 workers were given up; the other 2 run on\n.*worker 1 \(shard 1\).*dies while starting/s,
		),
		details: { survivors: 2, workers: [{ workerId: 1, shards: '1' }] },
	});
	expect(fleet.manager.workers.map(({ child }) => child.state)).toEqual(['ready', 'failed', 'ready']);
	await fleet.allReady();
	expect(fleet.manager.status).toBe('running');
	await fleet.stop();
});

it('with a used-up budget, a restart is deferred until the day resets, and not refused', async () => {
	const clock = skippingClock();
	const fleet = await startFleet({ simulator: { shards: 2 }, manager: { clock } });
	const deferred: number[] = [];
	fleet.manager.on('identify:deferred', ({ workerId }) => deferred.push(workerId));
	fleet.simulator.faults.sessionStarts({ total: 1000, remaining: 5, resetAfterMs: 6000 });
	clock.skip(answerIsOldMs);
	const identifies = () => fleet.simulator.log.entries({ type: 'identify' }).length;
	const before = identifies();
	process.kill(fleet.pidOf(0), 'SIGKILL');
	await waitFor('the deferral', () => deferred.length > 0);
	expect(identifies()).toBe(before);
	await fleet.allReady();
	expect(deferred).toEqual([0]);
	// A session that is lost in a running process waits in the same way.
	fleet.simulator.faults.sessionStarts({ total: 1000, remaining: 5, resetAfterMs: 60_000 });
	clock.skip(answerIsOldMs);
	process.kill(fleet.pidOf(1), 'SIGKILL');
	await waitFor('the second deferral', () => deferred.length > 1);
	// A requested restart may use the reserve.
	await expect(fleet.manager.respawnShard(1)).resolves.toBe(true);
	expect(fleet.simulator.violations({ hardOnly: true })).toEqual([]);
	await fleet.stop();
});
