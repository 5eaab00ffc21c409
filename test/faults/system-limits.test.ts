// Limits of the system that end programs with an obscure error: what is reported names the limit and what to do.
import { spawnSync } from 'node:child_process';
import { createServer } from 'node:net';
import { cliSandbox } from '@shardctl/test-support';
import { expect, it, onTestFinished } from 'vitest';
import { tinyBot } from './fleet.js';

const canLimit = process.platform === 'linux' && spawnSync('prlimit', ['--version']).status === 0;
const limitNotice = canLimit ? '' : ' (skipped: needs prlimit)';
const canUnshare =
	process.platform === 'linux' &&
	process.getuid?.() === 0 &&
	spawnSync('unshare', ['--net', 'ip', 'link', 'set', 'lo', 'up']).status === 0;
const netNotice = canUnshare ? '' : ' (skipped: needs root, unshare and ip, for a network of its own)';

it.runIf(canLimit)(
	`a start under a limit on the address space (ulimit -v) says so, without a stack trace${limitNotice}`,
	async () => {
		const discord = createServer();
		await new Promise<void>((resolve) => discord.listen(0, '127.0.0.1', resolve));
		onTestFinished(() => new Promise((resolve) => discord.close(() => resolve())));
		const { port } = discord.address() as { port: number };
		const cli = cliSandbox();
		const run = cli.run(['start', tinyBot, '--name', 'limited'], {
			env: { DISCORD_TOKEN: 'x', SHARDCTL_API: `http://127.0.0.1:${port}/api` },
			command: ['prlimit', `--as=${8 * 2 ** 30}`, process.execPath, cli.program],
		});
		expect(await run.exit).not.toBe(0);
		const output = run.stdout() + run.stderr();
		expect(output).toContain('the address space is limited');
		expect(output).toContain('ulimit -v unlimited');
		expect(output).not.toMatch(/^\s+at /m);
	},
);

it.runIf(canUnshare)(`a fleet that runs out of local ports names them, and keeps running${netNotice}`, async () => {
	const cli = cliSandbox();
	const network = 'ip link set lo up && echo "40000 40003" > /proc/sys/net/ipv4/ip_local_port_range && exec "$@"';
	const run = cli.run(
		['start', tinyBot, '--simulate', '8', '--shards', '8', '--gateway', 'resident', '--name', 'ports', '--log-format', 'json'],
		{ command: ['unshare', '--net', 'sh', '-c', network, 'sh', process.execPath, cli.program] },
	);
	const { msg } = await run.message(/EADDRNOTAVAIL.*no local port is free/);
	expect(msg).toContain('ip_local_port_range');
	expect(await cli.output(['stop', '--name', 'ports'])).toMatchObject({ code: 0 });
	expect(await run.exit).toBe(0);
});
