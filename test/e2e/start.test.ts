// The main job on real processes: `shardctl start` against the simulator, from the command to the exit of the last process.
import { readdirSync } from 'node:fs';
import { createSimulator, type SimulatorOptions } from '@shardctl/simulator';
import { cliSandbox, isAlive, waitFor } from '@shardctl/test-support';
import { expect, it, onTestFinished } from 'vitest';
import { examplePath } from './example-path.js';

async function simulated(options: Partial<SimulatorOptions>) {
	const simulator = await createSimulator({ maxConcurrency: 16, guilds: 8, ...options });
	onTestFinished(() => simulator.stop());
	return { simulator, env: { DISCORD_TOKEN: simulator.token, SHARDCTL_API: simulator.url } };
}

const plainBot = examplePath('plain-bot/bot.cjs');

it('starts an unmodified bot as a fleet, shows it from another terminal, and leaves nothing behind', async () => {
	const cli = cliSandbox();
	const run = cli.run(['start', plainBot, '--simulate', '40', '--shards', '4', '--name', 'fleet']);
	await run.message(/^fleet ready: 4 shards in 4 workers/);
	expect(
		run
			.json()
			.filter(({ stream }) => stream === 'stdout')
			.map(({ shards, msg }) => [shards, msg])
			.sort(),
	).toEqual([0, 1, 2, 3].map((shard) => [[shard], expect.stringMatching(/is in \d+ guilds$/)]));

	const stats = JSON.parse((await cli.output(['stats', '--json', '--name', 'fleet'])).stdout) as {
		manager: Record<string, unknown>;
		shards: { shardId: number; ready: boolean; guildCount: number; pid: number }[];
	};
	expect(stats.manager).toMatchObject({
		name: 'fleet',
		pid: run.pid,
		totalShards: 4,
		shardIds: [0, 1, 2, 3],
		workers: 4,
		status: 'running',
		identify: { total: 1000, remaining: 996, maxConcurrency: 16 },
	});
	expect(stats.shards.map(({ shardId, ready }) => ({ shardId, ready }))).toEqual(
		[0, 1, 2, 3].map((shardId) => ({ shardId, ready: true })),
	);
	expect(stats.shards.reduce((sum, { guildCount }) => sum + guildCount, 0)).toBe(40);

	const table = await cli.output(['stats', '--name', 'fleet']);
	expect(table.stdout).toMatch(/fleet\s+running/);
	expect(table.stdout.match(/ ready /g)?.length).toBeGreaterThanOrEqual(4);

	run.process.kill('SIGTERM');
	expect(await run.exit).toBe(0);
	expect(cli.survivors()).toEqual([]);
	expect(readdirSync(cli.stateDir).filter((file) => /\.(sock|lock)$/.test(file))).toEqual([]);
});

it('B12: asks again while Discord answers 503 at the start, says so, and starts when Discord is back', async () => {
	const { simulator, env } = await simulated({ shards: 2 });
	simulator.faults.restStatus({ status: 503 });
	const cli = cliSandbox();
	const run = cli.run(['start', plainBot], { env });
	await run.message(/gateway\/bot answered 503.*; trying again in 1 s$/);
	simulator.faults.clear();
	await run.message(/^fleet ready: 2 shards/);
	run.process.kill('SIGTERM');
	expect(await run.exit).toBe(0);
});

it('with max_concurrency 1 starts four shards in three windows and a boot, and never identifies early', async () => {
	const { simulator, env } = await simulated({ shards: 4, maxConcurrency: 1 });
	const cli = cliSandbox();
	const run = cli.run(['start', plainBot], { env });
	const ready = await run.message(/^fleet ready: 4 shards/, 60_000);
	const identifies = simulator.log.entries({ type: 'identify' });
	expect(identifies).toHaveLength(4);
	expect(simulator.violations({ hardOnly: true })).toEqual([]);
	// Three windows of 5 s, a margin of at most 4 %, and a boot, with several times its usual duration for a busy machine.
	expect(ready.tookMs).toBeGreaterThanOrEqual(15_000);
	expect(ready.tookMs).toBeLessThan(15_600 + 30_000);
	run.process.kill('SIGINT');
	expect(await run.exit).toBe(0);
	expect(simulator.state().sessions).toEqual([]);
});

it('runs several shards in one worker', async () => {
	const { simulator, env } = await simulated({ shards: 5 });
	const cli = cliSandbox();
	const run = cli.run(['start', plainBot, '--shards-per-worker', '3'], { env });
	await run.message(/^fleet ready: 5 shards in 2 workers/);
	expect(simulator.violations({ hardOnly: true })).toEqual([]);
	run.process.kill('SIGTERM');
	expect(await run.exit).toBe(0);
});

it('stops on the command of another terminal', async () => {
	const { env } = await simulated({ shards: 2 });
	const cli = cliSandbox();
	const run = cli.run(['start', plainBot, '--name', 'other'], { env });
	await run.message(/^fleet ready/);
	expect(await cli.output(['stop', '--name', 'other'])).toMatchObject({ code: 0 });
	expect(await run.exit).toBe(0);
	expect(cli.survivors()).toEqual([]);
	expect(await cli.output(['stats', '--name', 'other'])).toMatchObject({
		code: 3,
		stdout: '',
		stderr: expect.stringContaining('no manager named "other"'),
	});
});

it('ends a bot that does not stop at once on a second signal', async () => {
	const { env } = await simulated({ shards: 1 });
	const cli = cliSandbox();
	const run = cli.run(['start', new URL('fixtures/stubborn-bot.cjs', import.meta.url).pathname, '--grace', '10m'], { env });
	await run.message(/^fleet ready/);
	const stopping = performance.now();
	run.process.kill('SIGINT');
	await run.message(/stopping/);
	run.process.kill('SIGINT');
	expect(await run.exit).toBe(0);
	expect(performance.now() - stopping).toBeLessThan(20_000);
	expect(cli.survivors()).toEqual([]);
});

it('every child exits, and every worker logs out, within five seconds when the manager is killed by SIGKILL, and the next start works', async () => {
	const { simulator, env } = await simulated({ shards: 3 });
	const cli = cliSandbox();
	const run = cli.run(['start', plainBot, '--name', 'killed'], { env });
	await run.message(/^fleet ready/);
	// Three workers, and the process that sends their REST requests.
	const children = cli.survivors().filter((pid) => pid !== run.pid);
	expect(children).toHaveLength(4);
	run.process.kill('SIGKILL');
	expect(await run.exit).toBe('SIGKILL');
	// After five seconds they are killed; the rest is for a busy machine.
	await waitFor('the end of the orphans', () => !children.some(isAlive), { timeoutMs: 5000 + 10_000 });
	await waitFor('their logout', () => simulator.state().sessions.length === 0);

	const next = cli.run(['start', plainBot, '--name', 'killed', '--shards', '1'], { env });
	await next.message(/^fleet ready: 1 shard/);
	next.process.kill('SIGTERM');
	expect(await next.exit).toBe(0);
	expect(cli.survivors()).toEqual([]);
});
