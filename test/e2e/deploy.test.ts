// Deploys from the command line, as an operator runs them: in the background, cancelled at each stage, queued behind another, several workers
// at once, with a canary; and what each client, `stats`, `events` and JSON report.
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createSimulator } from '@shardctl/simulator';
import { cliSandbox, tempDir, waitFor } from '@shardctl/test-support';
import type { ManagerStats } from 'shardctl';
import { afterAll, beforeAll, expect, it } from 'vitest';

const discordJs = createRequire(import.meta.url).resolve('discord.js');

/** A working bot, and then the change of its version. */
const botFile = (then = '') => `const { Client } = require(${JSON.stringify(discordJs)});
const client = new Client({ intents: ['Guilds'] });
client.once('clientReady', () => setTimeout(() => { ${then} }, 200));
client.login();
`;

const cleanUps: (() => void)[] = [];

async function start() {
	const simulator = await createSimulator({ guilds: 8, maxConcurrency: 16 });
	const bot = join(
		tempDir('shardctl-deploy-', (remove) => cleanUps.push(remove)),
		'bot.cjs',
	);
	writeFileSync(bot, botFile());
	const cli = cliSandbox((end) => cleanUps.push(end));
	const run = cli.run(['start', bot, '--gateway', 'resident', '--shards', '4', '--name', 'deploys'], {
		env: { DISCORD_TOKEN: simulator.token, SHARDCTL_API: simulator.url },
	});
	await run.message(/^fleet ready: 4 shards in 4 workers/);
	const command = (...args: string[]) => cli.output([...args, '--name', 'deploys']);
	const stats = async () => JSON.parse((await command('stats', '--json')).stdout) as ManagerStats;
	return {
		simulator,
		cli,
		run,
		command,
		stats,
		write: (text: string) => writeFileSync(bot, text),
		deploy: (...args: string[]) => command('deploy', ...args),
		pids: async () => (await stats()).workers.map(({ pid }) => pid),
		async stage(wanted: { state?: string; stage?: string }): Promise<void> {
			await waitFor(
				JSON.stringify(wanted),
				async () => {
					const { deploy } = await stats();
					return Object.entries(wanted).every(([key, value]) => deploy?.[key as 'state' | 'stage'] === value);
				},
				{ timeoutMs: 60_000 },
			);
		},
	};
}

let fleet: Awaited<ReturnType<typeof start>>;

beforeAll(async () => {
	fleet = await start();
});

afterAll(async () => {
	await fleet.simulator.stop();
	for (const cleanUp of cleanUps) cleanUp();
});

it('runs in the background, is shown by stats, and is cancelled while a new process is watched', async () => {
	const before = await fleet.pids();
	const begun = await fleet.deploy('--detach', '--observe', '5m');
	expect(begun).toMatchObject({ code: 0, stdout: '' });
	expect(begun.stderr).toMatch(/deploy 1 of .*deploys has begun/);
	await fleet.stage({ stage: 'watching the new process' });
	expect((await fleet.command('stats')).stdout).toMatch(
		/^deploy 1: worker 0: watching the new process(, \d+ s)? \(0 of 4 replaced\)$/m,
	);
	const cancelled = await fleet.deploy('--cancel');
	expect(cancelled).toMatchObject({ code: 0, stdout: '' });
	expect(cancelled.stderr).toMatch(
		/the deploy was called off; the old version runs again in 1 worker; 3 of 4 workers were left unchanged\n$/,
	);
	expect(await fleet.pids()).toEqual(before);
	expect((await fleet.stats()).deploy).toMatchObject({ id: 1, state: 'called-off', done: 0, total: 4 });
	expect((await fleet.command('stats')).stdout).toMatch(/^deploy 1 ended \d+s ago: the deploy was called off/m);
});

it('A7: is cancelled while a new process boots', async () => {
	const before = await fleet.pids();
	fleet.write('setInterval(() => {}, 1000);\n');
	await fleet.deploy('--detach');
	await fleet.stage({ stage: 'waiting for the new process to log in' });
	const cancelled = await fleet.deploy('--cancel', '--json');
	expect(cancelled.code).toBe(0);
	expect(JSON.parse(cancelled.stdout)).toEqual({
		id: 2,
		state: 'called-off',
		error: 'the deploy was called off; 4 of 4 workers were left unchanged',
	});
	expect(await fleet.pids()).toEqual(before);
});

it('is cancelled while the canary bakes, with several workers at once', async () => {
	const before = await fleet.pids();
	fleet.write(botFile());
	await fleet.deploy('--detach', '--canary', '2', '--parallel', '2', '--observe', '200ms', '--bake', '5m');
	await fleet.stage({ state: 'baking' });
	const replaced = await fleet.pids();
	expect(replaced.filter((pid) => !before.includes(pid))).toHaveLength(2);
	expect((await fleet.deploy('--cancel')).stderr).toContain('the old version runs again in 2 workers; 2 of 4 workers');
	expect(await fleet.pids()).toEqual(before);
});

it('waits for another one, and runs in its turn although its client was detached', async () => {
	const before = await fleet.pids();
	await fleet.deploy('--detach', '--observe', '5m');
	await fleet.deploy('--detach', '--observe', '4m');
	const client = fleet.cli.run(['deploy', '--name', 'deploys']);
	await waitFor('both to wait', async () => (await fleet.stats()).deploy?.queued === 2);
	await fleet.stage({ stage: 'watching the new process' });
	expect((await fleet.command('stats')).stdout).toMatch(/^deploy 4: worker 0: watching .*; 2 more wait$/m);
	client.process.kill('SIGTERM');
	expect(await client.exit).toBe(1);
	expect(client.stderr()).toContain('the deploy was called off before it began; nothing was changed');
	// Each client has its own result.
	expect((await fleet.deploy('--cancel')).stderr).toContain('calling off deploy 4 ');
	await waitFor('the next one', async () => (await fleet.stats()).deploy?.id === 5);
	await fleet.stage({ stage: 'watching the new process' });
	expect((await fleet.deploy('--cancel', '--json')).stdout).toContain('"id":5');
	expect(await fleet.pids()).toEqual(before);
});

it('reports that there is nothing to cancel', async () => {
	const nothing = await fleet.deploy('--cancel');
	expect(nothing.code).not.toBe(0);
	expect(nothing.stderr).toContain('no deploy is running, so there is nothing to call off');
});

it('rolls all back when one of several at once fails', async () => {
	const before = await fleet.pids();
	fleet.write(botFile("if (client.shard.ids.includes(2)) throw new Error('only in worker 2');"));
	const failed = await fleet.deploy('--parallel', '4', '--observe', '30s', '--json');
	expect(failed.code).toBe(1);
	const lines = failed.stdout
		.trim()
		.split('\n')
		.map((line) => JSON.parse(line) as { state: string; error: string });
	expect(lines.at(-1)).toMatchObject({
		state: 'failed',
		error: expect.stringMatching(/^the new process of worker 2 .*only in worker 2/),
	});
	expect(lines.at(-1)?.error).toMatch(/the old version runs again in [1-4] workers?; [0-3] of 4 workers were left unchanged$/);
	expect(await fleet.pids()).toEqual(before);
	expect((await fleet.command('stats')).stdout).toMatch(/^deploy \d failed \d+s ago: the new process of worker 2/m);
});

it('stops when a new process logs too many errors', async () => {
	const before = await fleet.pids();
	fleet.write(botFile("setInterval(() => console.error(new Error('the database is away')), 20)"));
	const failed = await fleet.deploy('--max-error-rate', '5');
	expect(failed.code).toBe(1);
	expect(failed.stderr).toMatch(
		/it logged more than 5 errors a minute, the last one: Error: the database is away; the old version runs/,
	);
	expect(await fleet.pids()).toEqual(before);
	// As many are allowed.
	fleet.write(botFile("for (let n = 0; n < 5; n++) console.error(new Error('the database is away'))"));
	expect(await fleet.deploy('--max-error-rate', '5', '--observe', '700ms', '--parallel', '4')).toMatchObject({ code: 0 });
});

it('deploys a canary, and the others after the bake; every deploy has a start and an end among the events', async () => {
	const before = await fleet.pids();
	fleet.write(botFile());
	const deployed = await fleet.deploy('--canary', '1', '--bake', '500ms', '--observe', '200ms', '--parallel', '3', '--json');
	expect(deployed.code).toBe(0);
	const lines = deployed.stdout
		.trim()
		.split('\n')
		.map((line) => JSON.parse(line) as { state: string });
	expect(lines.at(-1)).toMatchObject({ state: 'deployed', workers: [0, 1, 2, 3], tookMs: expect.any(Number) });
	expect((await fleet.pids()).filter((pid) => before.includes(pid))).toEqual([]);
	expect((await fleet.command('stats')).stdout).toMatch(/^deploy \d+ replaced 4 workers in \d+s, \d+s ago$/m);
	const events = (await fleet.command('events', '--json', '-n', '1000', '--type', 'deploy:progress')).stdout;
	const states = new Map<number, string[]>();
	for (const line of events.trim().split('\n')) {
		const { id, state } = JSON.parse(line) as { id: number; state: string };
		states.set(id, [...(states.get(id) ?? []), state]);
	}
	for (const [id, seen] of states) {
		expect([id, seen.at(-1)]).toEqual([id, expect.stringMatching(/^(deployed|failed|called-off)$/)]);
		expect(seen.filter((state) => /^(deployed|failed|called-off)$/.test(state))).toHaveLength(1);
	}
	expect(states.get(Math.max(...states.keys()))).toContain('baking');
});

it('has started no session with Discord, and leaves nothing behind', async () => {
	const { run, cli, simulator, command } = fleet;
	expect(await command('stop')).toMatchObject({ code: 0 });
	expect(await run.exit).toBe(0);
	expect(cli.survivors()).toEqual([]);
	expect(simulator.log.entries({ type: 'identify' })).toHaveLength(4);
});
