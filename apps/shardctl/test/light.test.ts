// Short commands respond at once because they load little. The time itself depends on the machine, this does not.
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cliSandbox } from '@shardctl/test-support';
import { expect, it } from 'vitest';

const bin = fileURLToPath(new URL('../bin/shardctl.js', import.meta.url));
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
	['list', ['control.cjs', 'ended-managers.cjs', 'list-managers.cjs']],
])('shardctl %s loads a few CommonJS files and imports nothing', async (line, more) => {
	expect(await loadedBy(...line.split(' '))).toEqual([...everyCommand, ...more].sort());
});
