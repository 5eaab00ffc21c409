// Killed managers, and signals to a whole process group: no worker outlives its manager for long, and no manager
// starts beside workers that another one left.
import { createSimulator } from '@shardctl/simulator';
import { cliSandbox, isAlive, waitFor } from '@shardctl/test-support';
import { expect, it, onTestFinished } from 'vitest';
import { fixture, tinyBot } from './fleet.js';

/** What Discord itself, and the time for logging out, may add on a busy machine. */
const patience = 5000 + 10_000;

async function simulated(shards: number) {
	const simulator = await createSimulator({ guilds: 4, shards, maxConcurrency: 16 });
	onTestFinished(() => simulator.stop());
	return { simulator, env: { DISCORD_TOKEN: simulator.token, SHARDCTL_API: simulator.url } };
}

it.each([
	['traps SIGTERM', 'process.on("SIGTERM", () => {}); 1'],
	[
		'blocks its event loop again and again',
		'setInterval(() => { const end = Date.now() + 400; while (Date.now() < end); }, 20); 1',
	],
	['never finishes its shutdown', 'process.on("SIGTERM", () => { setInterval(() => {}, 10); }); 1'],
])('a bot that %s still logs out and exits within five seconds when its manager is killed', async (_what, script) => {
	const { simulator, env } = await simulated(2);
	const cli = cliSandbox();
	const run = cli.run(['start', tinyBot, '--name', 'orphans'], { env });
	await run.message(/^fleet ready/);
	// Two workers, and the process that sends their REST requests.
	const children = cli.survivors().filter((pid) => pid !== run.pid);
	expect(children).toHaveLength(3);
	expect(await cli.output(['eval', script, '--name', 'orphans'])).toMatchObject({ code: 0 });
	run.process.kill('SIGKILL');
	await waitFor('the end of the orphans', () => !children.some(isAlive), { timeoutMs: patience });
	await waitFor('their logout', () => simulator.state().sessions.length === 0);
});

it.each([0, 50, 100, 150, 200, 300])('a worker exits also when its manager is killed %i ms into its boot', async (afterMs) => {
	const { simulator, env } = await simulated(2);
	const cli = cliSandbox();
	const run = cli.run(['start', tinyBot, '--name', 'early'], { env });
	const workers = () => cli.survivors().filter((pid) => pid !== run.pid);
	await waitFor('a worker', () => workers().length > 0, { everyMs: 5 });
	await new Promise((resolve) => setTimeout(resolve, afterMs));
	run.process.kill('SIGKILL');
	await run.exit;
	await waitFor('the end of the workers', () => workers().length === 0, { timeoutMs: patience });
	expect(await waitFor('their logout', () => simulator.state().sessions.length === 0)).toBe(true);
});

it('a new manager ends the blocked worker of a killed one, reports it, and only then starts its own', async () => {
	const { simulator, env } = await simulated(1);
	const cli = cliSandbox();
	const first = cli.run(['start', tinyBot, '--name', 'leftover'], { env });
	await first.message(/^fleet ready/);
	const [leftover] = cli.survivors().filter((pid) => pid !== first.pid);
	await cli.output(['eval', 'setTimeout(() => { for (;;); }, 50); 1', '--name', 'leftover']);
	await waitFor(
		'the block',
		async () => (await cli.output(['eval', '1', '--name', 'leftover', '--timeout', '300ms'])).code !== 0,
	);
	first.process.kill('SIGKILL');
	expect(await first.exit).toBe('SIGKILL');

	const next = cli.run(['start', tinyBot, '--name', 'leftover'], { env });
	const spoke = await next.message(/left 1 process \(\d+\) of its workers and gateways behind/);
	expect(spoke.pids).toEqual([leftover]);
	await next.message(/did not exit on their own and were killed/);
	await next.message(/^fleet ready/);
	expect(isAlive(leftover as number)).toBe(false);
	expect(cli.survivors().filter((pid) => pid !== next.pid)).toHaveLength(1);
	next.process.kill('SIGTERM');
	expect(await next.exit).toBe(0);
	expect(cli.survivors()).toEqual([]);
	expect(simulator.violations({ hardOnly: true })).toEqual([]);
});

it('Ctrl-C in a terminal, which signals the whole group, is one stop: the bots log out in order', async () => {
	const { simulator, env } = await simulated(2);
	const cli = cliSandbox();
	// setsid gives the command a group of its own, as a shell does.
	const run = cli.run(['start', fixture('says-goodbye.mjs'), '--name', 'group'], {
		env,
		command: ['setsid', process.execPath, cliPath()],
	});
	await run.message(/^fleet ready/);
	process.kill(-run.pid, 'SIGINT');
	expect(await run.exit).toBe(0);
	const lines = run.json().map(({ msg }) => String(msg));
	expect(lines.filter((line) => line.startsWith('goodbye'))).toHaveLength(2);
	expect(lines.filter((line) => line.includes('SIGINT: stopping'))).toHaveLength(1);
	expect(simulator.state().sessions).toEqual([]);
	expect(cli.survivors()).toEqual([]);
});

function cliPath(): string {
	return new URL('../../apps/shardctl/bin/shardctl.js', import.meta.url).pathname;
}
