// Commands and managers start at once because they load little. The time itself depends on the machine, this does not.
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createSimulator } from '@shardctl/simulator';
import { cliSandbox } from '@shardctl/test-support';
import { expect, it, onTestFinished } from 'vitest';

const bot = fileURLToPath(new URL('fixtures/bot.mjs', import.meta.url));
const bin = fileURLToPath(new URL('../bin/shardctl.js', import.meta.url));
/** They have the package among their dependencies. */
const folderOfExamples = fileURLToPath(new URL('../../examples', import.meta.url));
const reportLoaded = fileURLToPath(new URL('fixtures/report-loaded.mjs', import.meta.url));

async function loadedBy(...args: string[]): Promise<string[]> {
	const run = cliSandbox().run(args, { command: [process.execPath, '--import', reportLoaded, bin] });
	await run.exit;
	return [...run.stderr().matchAll(/^(?:required|imported) (.*)$/gm)].map(([, file]) => basename(file as string)).sort();
}

const everyCommand = ['cli.cjs', 'main.cjs', 'package.json', 'rolldown-runtime.cjs', 'shardctl.js', 'shared.cjs'];

it('shardctl --help loads no command', async () => {
	expect(await loadedBy('--help')).toEqual(['cli.cjs', 'shardctl.js']);
});

it.each([
	['--version', []],
	['stats --help', []],
	['stats', ['control.cjs']],
	['stats --json', ['control.cjs']],
	['metrics', ['control.cjs']],
	['where 1', ['control.cjs']],
	['stop', ['control.cjs']],
	['list', ['common.cjs', 'control.cjs', 'ended-managers.cjs', 'list-managers.cjs']],
])('shardctl %s loads a few CommonJS files and imports nothing', async (line, more) => {
	expect(await loadedBy(...line.split(' '))).toEqual([...everyCommand, ...more].sort());
});

it('a manager on one machine loads a few CommonJS files and imports nothing, and nothing of what was not asked for', async () => {
	const simulator = await createSimulator({ guilds: 1 });
	onTestFinished(() => simulator.stop());
	const manager = cliSandbox().run(['start', bot, '--log-format', 'json'], {
		command: [process.execPath, '--import', reportLoaded, bin],
		env: { DISCORD_TOKEN: simulator.token, SHARDCTL_API: simulator.url },
	});
	await manager.message(/^fleet ready/);
	manager.process.kill('SIGTERM');
	await manager.exit;
	const loaded = [...manager.stderr().matchAll(/^(?:required|imported) (.*)$/gm)].map(([, file]) => basename(file as string));
	const files = [...everyCommand, 'start.cjs', 'run-fleet.cjs', 'common.cjs', 'control.cjs', 'manager.cjs'];
	expect(loaded.sort()).toEqual(files.sort());
});

it.each(["import('shardctl')", "require('shardctl')"])('%s loads the manager of the same few files', async (load) => {
	const program = ['--import', reportLoaded, '-e', load];
	const run = cliSandbox().run([], { command: [process.execPath, ...program], cwd: folderOfExamples });
	expect(await run.exit).toBe(0);
	const loaded = [...run.stderr().matchAll(/^required (.*)$/gm)].map(([, file]) => basename(file as string));
	expect(loaded.sort()).toEqual([
		'control.cjs',
		'library.cjs',
		'manager.cjs',
		'package.json',
		'rolldown-runtime.cjs',
		'shared.cjs',
	]);
	expect(run.stderr()).not.toMatch(/Warning/);
});
