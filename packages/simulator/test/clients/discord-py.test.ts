// The simulator against discord.py 2, if the system's Python has it (Debian: python3-discord); skipped with a notice otherwise.
import { spawn, spawnSync } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { waitFor } from '@shardctl/test-support';
import { expect, onTestFinished, test } from 'vitest';
import { simulator } from '../raw-client.js';

const bot = fileURLToPath(new URL('../fixtures/discord_py_bot.py', import.meta.url));

/** A Python with discord.py: the system's own first, because Debian installs the package there. */
const python = ['/usr/bin/python3', 'python3'].find((command) => spawnSync(command, ['-c', 'import discord']).status === 0);
if (!python) console.error('NOTICE: discord.py is not installed (apt install python3-discord); its test is skipped.');

test.skipIf(!python)('discord.py starts two shards and chunks members, receives a message, replies and resumes', async () => {
	const sim = await simulator({ guilds: 6, identifyWindowMs: 0 });
	const child = spawn(python ?? '', [bot], {
		stdio: ['ignore', 'pipe', 'pipe'],
		env: {
			...process.env,
			SIMULATOR_API: sim.url,
			SIMULATOR_GATEWAY: `ws://127.0.0.1:${sim.port}`,
			DISCORD_TOKEN: sim.token,
		},
	});
	const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
	onTestFinished(async () => {
		child.kill('SIGKILL');
		await exited;
	});
	const said: Record<string, unknown>[] = [];
	let complaints = '';
	createInterface({ input: child.stdout }).on('line', (line) => said.push(JSON.parse(line) as Record<string, unknown>));
	child.stderr.on('data', (data) => (complaints += String(data)));
	const heard = (facts: Record<string, unknown>) =>
		waitFor(`${JSON.stringify(facts)}; it said ${complaints}`, () => {
			return said.some((one) =>
				Object.entries(facts).every(([key, value]) => JSON.stringify(one[key]) === JSON.stringify(value)),
			);
		});
	await heard({ event: 'ready', guilds: 6, shards: [0, 1] });
	sim.emit('MESSAGE_CREATE', { content: 'ping' });
	await heard({ event: 'message', content: 'pong' });
	sim.faults.drop({ shard: 0 });
	await heard({ event: 'resumed', shard: 0 });
	sim.emit('MESSAGE_CREATE', { content: 'bye' });
	expect(await exited).toBe(0);
	expect(sim.violations({ hardOnly: true })).toEqual([]);
	expect(sim.log.entries({ type: 'identify' })).toHaveLength(2);
});
