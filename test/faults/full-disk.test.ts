// Finding 7: output that cannot be written costs lines, never the fleet. A full disk is a small tmpfs, which only root can mount.
import { spawn } from 'node:child_process';
import { openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { canMount, cliSandbox, mountNotice, smallDisk, tempDir, waitFor } from '@shardctl/test-support';
import { expect, it, onTestFinished } from 'vitest';

const discordJs = createRequire(import.meta.url).resolve('discord.js');

function talkativeBot(): string {
	const bot = join(tempDir(), 'talk.cjs');
	writeFileSync(
		bot,
		`const { Client } = require(${JSON.stringify(discordJs)});
		const client = new Client({ intents: ['Guilds'] });
		client.once('clientReady', () => setInterval(() => { console.log('tick ' + 'x'.repeat(500)); console.error('tock'); }, 20));
		client.login();`,
	);
	return bot;
}

it.runIf(process.platform === 'linux').each(['pretty', 'json'])(
	'finding 7: a fleet with --log-format %s keeps running when nothing can be written (/dev/full)',
	async (format) => {
		const cli = cliSandbox();
		const full = openSync('/dev/full', 'a');
		const run = cli.run(['start', talkativeBot(), '--shards', '1', '--simulate', '4', '--log-format', format, '--name', 'full'], {
			stdio: ['ignore', full, full],
		});
		await waitFor('the fleet to be ready', async () => (await cli.output(['health', '--name', 'full'])).code === 0, {
			timeoutMs: 60_000,
		});
		await waitFor('lines of the bot', async () => (await cli.output(['logs', '--name', 'full'])).stdout.includes('tick'));
		expect(await cli.output(['stop', '--name', 'full'])).toMatchObject({ code: 0 });
		expect(await run.exit).toBe(0);
	},
);

it.runIf(canMount)(
	`finding 7: a fleet survives a full disk under its redirected output and its log folder, and reports what was lost${mountNotice}`,
	async () => {
		const disk = smallDisk('256k');
		const [log, ballast] = [join(disk, 'bot.log'), join(disk, 'ballast')];
		const cli = cliSandbox();
		writeFileSync(ballast, Buffer.alloc(128 * 1024));
		const out = openSync(log, 'a');
		const run = cli.run(
			['start', talkativeBot(), '--shards', '1', '--simulate', '4', '--log-format', 'json', '--name', 'disk', '--log-dir', disk],
			{ stdio: ['ignore', out, 'ignore'] },
		);
		const isFull = () => {
			try {
				writeFileSync(join(disk, 'probe'), 'x'.repeat(4096));
				rmSync(join(disk, 'probe'));
				return false;
			} catch {
				return true;
			}
		};
		await waitFor('the disk to be full', isFull, { timeoutMs: 60_000 });
		await waitFor('the fleet to answer', async () => (await cli.output(['health', '--name', 'disk'])).code === 0);
		rmSync(ballast);
		for (const file of [log, join(disk, 'disk.log')]) {
			await waitFor(`the loss in ${file}`, () => readFileSync(file, 'utf8').includes('"event":"output:lost"'), {
				timeoutMs: 30_000,
			});
			const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
			const loss = lines.find((line) => line.includes('output:lost')) as string;
			expect(JSON.parse(loss)).toMatchObject({ level: 40, code: 'ENOSPC', lines: expect.any(Number) });
		}
		expect(await cli.output(['stop', '--name', 'disk'])).toMatchObject({ code: 0 });
		expect(await run.exit).toBe(0);
		expect(cli.survivors()).toEqual([]);
	},
);

it.runIf(canMount)(
	`finding 18: a start in a full state folder reports which folder is full with a remedy, or that the name is in use${mountNotice}`,
	async () => {
		const disk = smallDisk('256k');
		const cli = cliSandbox();
		const env = { SHARDCTL_STATE_DIR: disk };
		const bot = talkativeBot();
		const start = ['start', bot, '--shards', '1', '--simulate', '4', '--name', 'full', '--log-format', 'json'];
		const fill = () => {
			try {
				for (let i = 0; i < 100; i++) writeFileSync(join(disk, 'ballast'), Buffer.alloc(4096), { flag: 'a' });
			} catch {
				// It is full now.
			}
		};
		fill();
		const refused = await cli.output(start, { env });
		expect(refused.code).toBe(1);
		expect(refused.stdout + refused.stderr).toContain(
			`the state folder ${disk} is on a disk without free space: free some, or set SHARDCTL_STATE_DIR to another folder`,
		);
		rmSync(join(disk, 'ballast'));
		const run = cli.run(start, { env });
		await run.message(/fleet ready/, 60_000);
		fill();
		const second = await cli.output(start, { env });
		expect(second.stdout + second.stderr).toContain('"code":"MANAGER_RUNNING"');
		expect(await cli.output(['stop', '--name', 'full'], { env })).toMatchObject({ code: 0 });
		expect(await run.exit).toBe(0);
	},
);

it.runIf(process.platform === 'linux')('finding 7: a fleet in a terminal keeps running when the terminal is gone', async () => {
	const cli = cliSandbox();
	// `script` gives it a terminal; it ends without a hang-up signal reaching the fleet, as after a lost session.
	const bot = talkativeBot();
	const command = [process.execPath, cli.program, 'start', bot, '--shards', '1', '--simulate', '4', '--name', 'tty'].join(' ');
	const terminal = spawn('script', ['-qec', `setsid ${command} 2>&1 </dev/null; sleep 1000`, '/dev/null'], {
		env: cli.environment,
		stdio: ['pipe', 'pipe', 'ignore'],
		detached: true,
	});
	terminal.stdout.resume();
	onTestFinished(() => void terminal.kill('SIGKILL'));
	await waitFor('the fleet to be ready', async () => (await cli.output(['health', '--name', 'tty'])).code === 0, {
		timeoutMs: 60_000,
	});
	terminal.kill('SIGKILL');
	await waitFor('lines after the end of the terminal', async () => {
		const { stdout } = await cli.output(['logs', '--name', 'tty', '--json', '--tail', '1']);
		return (JSON.parse(stdout) as { at: number }).at > Date.now() - 1000;
	});
	expect(await cli.output(['health', '--name', 'tty'])).toMatchObject({ code: 0 });
	expect(await cli.output(['stop', '--name', 'tty'])).toMatchObject({ code: 0 });
});
