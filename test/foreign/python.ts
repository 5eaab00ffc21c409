// What the tests of bots in Python share. They run with the first Python that can import the library.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Simulator } from '@shardctl/simulator';
import { waitFor } from '@shardctl/test-support';
import { expect } from 'vitest';

const candidates = [process.env.SHARDCTL_TEST_PYTHON, 'python3', '/usr/bin/python3'];

function runs(python: string | undefined, script: string, PYTHONPATH: string): python is string {
	return python !== undefined && spawnSync(python, ['-c', script], { env: { ...process.env, PYTHONPATH } }).status === 0;
}

/** Undefined where no Python has discord.py 2: `apt-get install python3-discord` or `pip install discord.py` changes that. */
export const python = candidates.find((each) => runs(each, 'import discord; assert discord.version_info.major == 2', ''));

/** A Python that can import the library from the folder. */
export function pythonWith(library: string, folder: string): string {
	const found = candidates.find((each) => runs(each, `import ${library}`, folder));
	if (found === undefined) throw new Error(`no Python can import ${library} from ${folder}: set SHARDCTL_TEST_PYTHON`);
	return found;
}

export const fixture = (name: string) => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));

/** Fails unless the bot answers each command that was used, once. On a busy machine Discord may refuse an answer as too late. */
export async function expectAnsweredOnce(simulator: Simulator): Promise<void> {
	const answers = () =>
		simulator.log
			.entries({ type: 'rest' })
			.filter(({ status }) => Number(status) < 300)
			.map(({ path }) => String(path))
			.filter((path) => /\/interactions\/\d+\/[^/]+\/callback/.test(path));
	const created = () => simulator.state().interactions.created;
	await waitFor('an answer to each command', () => answers().length >= created());
	expect(new Set(answers()).size).toBe(created());
	expect(answers()).toHaveLength(created());
}
