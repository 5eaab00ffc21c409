// The examples in Python, through the command line: a bot on discord.py with calls into the fleet, and a program without a library.
import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { createSimulator } from '@shardctl/simulator';
import { cliSandbox, processesWithEnv, waitFor } from '@shardctl/test-support';
import { describe, expect, it, onTestFinished } from 'vitest';
import { examplePath } from '../e2e/example-path.js';
import { python } from './python.js';

async function simulated(shards: number, guilds = 12) {
	const simulator = await createSimulator({ maxConcurrency: 16, guilds, shards });
	onTestFinished(() => simulator.stop());
	// Settings of shardctl do not reach a program, nor does the mark of the sandbox.
	const id = randomUUID();
	const env = { DISCORD_TOKEN: simulator.token, SHARDCTL_API: simulator.url, EXAMPLE_RUN: id };
	return { simulator, env, programs: () => processesWithEnv('EXAMPLE_RUN', id) };
}

describe.skipIf(python === undefined)('the bot on discord.py', () => {
	it('runs unmodified, answers calls, and ends with its fleet', async () => {
		const { simulator, env, programs } = await simulated(3);
		const cli = cliSandbox();
		const run = cli.run(['start', examplePath('python/bot.py'), '--interpreter', python as string], { env });
		await run.message(/runs .*bot\.py, so gateway processes hold its sessions with Discord \(--gateway resident\)$/);
		await run.message(/^fleet ready: 3 shards in 3 workers/);
		simulator.emit('INTERACTION_CREATE', { name: 'guilds' });
		await waitFor('the answer to the command', () => simulator.state().interactions.answered === 1);
		await run.message(/^12 guilds, in 3 processes$/);
		run.process.kill('SIGINT');
		expect(await run.exit).toBe(0);
		expect([...cli.survivors(), ...programs()]).toEqual([]);
		expect(simulator.violations({ hardOnly: true })).toEqual([]);
	});

	it('doctor names its Python and its library', async () => {
		const cli = cliSandbox();
		const run = cli.run(['doctor', examplePath('python/bot.py'), '--simulate', '--json', '--interpreter', python as string]);
		expect(await run.exit).toBe(0);
		expect(run.stdout()).toMatch(/discord\.py 2\.\d+\.\d+\w* on Python 3/);
	});
});

const programs = [
	{
		name: 'Python',
		file: 'python/no_library.py',
		command: ['python3', '/usr/bin/python3'].find((each) => runs(each, ['-c', ''])),
	},
	{ name: 'Perl', file: 'exec/bot.pl', command: ['perl'].find((each) => runs(each, ['-MJSON::PP', '-e', '1'])) },
];

function runs(command: string, args: readonly string[]): boolean {
	return spawnSync(command, args).status === 0;
}

for (const { name, file, command } of programs) {
	it.skipIf(command === undefined)(
		`a program without a library in ${name} runs through --exec, with several shards in each process`,
		async () => {
			const { simulator, env, programs: running } = await simulated(4);
			const cli = cliSandbox();
			const run = cli.run(['start', '--shards-per-worker', '2', '--exec', '--', command as string, examplePath(file)], { env });
			await run.message(/is started as a program of its own, so gateway processes hold its sessions/);
			await run.message(/^fleet ready: 4 shards in 2 workers/);
			simulator.emit('MESSAGE_CREATE', { content: 'hello there' });
			await run.message(/^shard \d: hello there$/);
			run.process.kill('SIGTERM');
			expect(await run.exit).toBe(0);
			expect([...cli.survivors(), ...running()]).toEqual([]);
			expect(simulator.violations({ hardOnly: true })).toEqual([]);
		},
	);
}
