// Which Python the tests of bots for discord.py run with: the first one that can import the library.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const candidates = [process.env.SHARDCTL_TEST_PYTHON, 'python3', '/usr/bin/python3'];

function canImport(python: string | undefined): python is string {
	const env = { ...process.env, PYTHONPATH: '' };
	return (
		python !== undefined &&
		spawnSync(python, ['-c', 'import discord; assert discord.version_info.major == 2'], { env }).status === 0
	);
}

/** Undefined where no Python has discord.py 2: `apt-get install python3-discord` or `pip install discord.py` changes that. */
export const python = candidates.find(canImport);

export const fixture = (name: string) => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));
