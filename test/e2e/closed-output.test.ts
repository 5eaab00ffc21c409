// Case 05: `shardctl start bot.js | head -2`. The reader of the output ends, and the fleet keeps running.
import { closeSync, existsSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { cliSandbox, isAlive, listeningPorts, tempDir, waitFor } from '@shardctl/test-support';
import { expect, it } from 'vitest';

const discordJs = createRequire(import.meta.url).resolve('discord.js');

it.each(['pretty', 'json'])(
	'a fleet with --log-format %s keeps running when the reader of its output has ended',
	async (format) => {
		const folder = tempDir();
		const alive = join(folder, 'alive.txt');
		const bot = join(folder, 'talk.cjs');
		writeFileSync(
			bot,
			`const { Client } = require(${JSON.stringify(discordJs)});
		const { appendFileSync } = require('node:fs');
		const client = new Client({ intents: ['Guilds'] });
		client.once('clientReady', () => setInterval(() => {
			console.log('tick');
			console.error('tock');
			appendFileSync(${JSON.stringify(alive)}, '.');
		}, 50));
		client.login();`,
		);
		const cli = cliSandbox();
		const run = cli.run(['start', bot, '--shards', '1', '--simulate', '4', '--log-format', format, '--name', 'talk']);
		const ticks = () => (existsSync(alive) ? readFileSync(alive, 'utf8').length : 0);
		await waitFor('the bot to talk', () => ticks() > 2 && run.stdout().includes('tick'), { timeoutMs: 60_000 });
		run.process.stdout?.destroy();
		run.process.stderr?.destroy();
		const before = ticks();
		await waitFor('the bot to talk on', () => ticks() > before + 40, { timeoutMs: 60_000 });
		expect(await cli.output(['stop', '--name', 'talk'])).toMatchObject({ code: 0 });
		expect(await run.exit).toBe(0);
		expect(cli.survivors()).toEqual([]);
	},
);

it.runIf(process.platform === 'linux').each(['/dev/full', 'a reader that is gone'])(
	'a simulator keeps running when its output is %s',
	async (output) => {
		const cli = cliSandbox();
		const full = openSync('/dev/full', 'a');
		const run = cli.run(['simulate', '--guilds', '1'], { stdio: ['ignore', output === '/dev/full' ? full : 'pipe', 'pipe'] });
		closeSync(full);
		run.process.stdout?.destroy();
		const port = await waitFor('its port', () => listeningPorts(run.pid)[0]);
		expect((await fetch(`http://127.0.0.1:${port}/simulator/state`)).status).toBe(200);
		expect(isAlive(run.pid)).toBe(true);
		run.process.kill('SIGTERM');
		expect(await run.exit).toBe(0);
	},
);

it.runIf(process.platform === 'linux')('a command whose result cannot be written reports why', async () => {
	const cli = cliSandbox();
	const full = openSync('/dev/full', 'a');
	const run = cli.run(['list', '--json'], { stdio: ['ignore', full, 'pipe'] });
	closeSync(full);
	expect(await run.exit).toBe(1);
	expect(run.stderr()).toMatch(/^error: standard output cannot be written: ENOSPC/);
});

it.runIf(process.platform === 'linux').each([
	['start --simulate', ['start', 'BOT', '--simulate', '2', '--shards', '1']],
	['start --detach', ['start', 'BOT', '--simulate', '2', '--shards', '1', '--detach']],
])('%s reports that no process can be started, in a sentence', async (_, args) => {
	const bot = join(tempDir(), 'bot.cjs');
	writeFileSync(bot, `const { Client } = require(${JSON.stringify(discordJs)}); new Client({ intents: [] }).login();`);
	const cli = cliSandbox();
	// What fork and spawn give where the system refuses a process.
	const refuse = join(tempDir(), 'refuse.cjs');
	writeFileSync(
		refuse,
		`const { ChildProcess } = require('node:child_process');
		ChildProcess.prototype.spawn = new Proxy(ChildProcess.prototype.spawn, {
			apply: (spawn, self, [options]) => Reflect.apply(spawn, self, [{ ...options, file: '/no/such/program' }]),
		});`,
	);
	const run = cli.run(
		args.map((arg) => (arg === 'BOT' ? bot : arg)),
		{ env: { NODE_OPTIONS: `--require=${refuse}` } },
	);
	expect(await run.exit).toBe(1);
	expect(run.stdout() + run.stderr()).toMatch(/could not be started: spawn .*ENOENT/);
	expect(run.stderr()).not.toMatch(/^\s+at /m);
});
