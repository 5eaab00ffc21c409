// B5, A6 and A4 of the operator's findings: what can be seen of a fleet, and of a version of its bot, that has ended.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cliSandbox, tempDir, waitFor } from '@shardctl/test-support';
import { expect, it } from 'vitest';

const bot = (version: string) => `
	const { createRequire } = require('node:module');
	const { Client } = createRequire(${JSON.stringify(join(import.meta.dirname, '../package.json'))})('discord.js');
	console.log('version ${version}');
	const client = new Client({ intents: [1] });
	client.login();
`;

interface Listed {
	name: string;
	status: string;
	pid: number;
	command?: string[];
	end?: { how: string; code: string | null; message: string };
}

it('shows a killed fleet with its start options, its lines and its events, and how a stopped one ended (B5)', async () => {
	const cli = cliSandbox();
	const folder = tempDir();
	const file = join(folder, 'bot.cjs');
	writeFileSync(file, bot('1'));
	const run = cli.run(['start', file, '--simulate', '4', '--shards', '2', '--name', 'gone'], { cwd: folder });
	await run.message(/^fleet ready/);
	run.process.kill('SIGKILL');
	await run.exit;
	await waitFor('the end of its workers', () => cli.survivors().length === 0);

	const all = async () => JSON.parse((await cli.output(['list', '--all', '--json'])).stdout) as Listed[];
	expect(await all()).toMatchObject([
		{ name: 'gone', status: 'killed', pid: run.pid, end: { message: expect.stringMatching(/was killed or crashed/) } },
	]);
	expect((await all())[0]?.command?.slice(1)).toEqual(['start', file, '--simulate', '4', '--shards', '2', '--name', 'gone']);
	const list = await cli.output(['list']);
	expect(list.stderr).toMatch(/no fleet is running/);
	expect(list.stdout).toMatch(/gone\s+killed/);
	expect(list.stdout).toMatch(/started with: .* --shards 2 --name gone/);

	// Without a name too: it is the one that was started in this folder.
	const logs = await cli.output(['logs'], { cwd: folder });
	expect(logs.stdout.match(/version 1/g)).toHaveLength(2);
	expect(logs.stderr).toMatch(/gone is not running: it ended \d+ s ago: its manager, process \d+, was killed/);
	const events = await cli.output(['events', '--name', 'gone', '--type', 'fleet:ready', '--json']);
	expect(events.code).toBe(0);
	expect(JSON.parse(events.stdout)).toMatchObject({ type: 'fleet:ready', shards: 2 });
	const stats = await cli.output(['stats', '--name', 'gone']);
	expect(stats).toMatchObject({ code: 3, stderr: expect.stringMatching(/"gone" is running; it ended .* see "shardctl events/) });

	const again = cli.run(['start', file, '--simulate', '4', '--shards', '2', '--name', 'gone'], { cwd: folder });
	await again.message(/^fleet ready/);
	expect(await cli.output(['list'])).toMatchObject({ stdout: expect.not.stringMatching('killed') });
	expect((await cli.output(['stop', '--name', 'gone'])).code).toBe(0);
	expect(await again.exit).toBe(0);
	expect(await all()).toMatchObject([
		{ status: 'stopped', pid: again.pid, end: { how: 'stopped', code: null, message: 'stopped by "shardctl stop"' } },
	]);
	// A fleet that was stopped on purpose is not reported as missing.
	expect((await cli.output(['list'])).stdout).toBe('');
});

it('keeps the reason of a detached fleet that ends later, and lists its exit status (A4)', async () => {
	const cli = cliSandbox();
	const folder = tempDir();
	const file = join(folder, 'crash.cjs');
	writeFileSync(file, 'setTimeout(() => { throw new Error("no database"); }, 500);');
	const args = ['start', file, '--simulate', '1', '--shards', '1', '--name', 'dcrash', '--no-respawn', '--detach'];
	await cli.output(args, { cwd: folder });
	await waitFor('the end of the fleet', async () => (await cli.output(['stats', '--name', 'dcrash'])).code === 3);
	const { stderr } = await cli.output(['stats', '--name', 'dcrash']);
	expect(stderr).toMatch(/"dcrash" is running; it failed \d+ s ago: 1 of 1 workers were given up; .*no database/);
	const [ended] = JSON.parse((await cli.output(['list', '--all', '--json'])).stdout) as Listed[];
	expect(ended).toMatchObject({
		status: 'failed',
		end: { code: 'WORKERS_FAILED', message: expect.stringMatching(/no database/) },
	});
});

it('keeps the lines of the old version after a deploy, with the process of each line (A6)', async () => {
	const cli = cliSandbox();
	const folder = tempDir();
	const file = join(folder, 'bot.cjs');
	writeFileSync(file, bot('1'));
	const run = cli.run(['start', file, '--simulate', '4', '--shards', '2', '--gateway', 'resident', '--name', 'v'], {
		cwd: folder,
	});
	await run.message(/^fleet ready/);
	writeFileSync(file, bot('2'));
	expect(await cli.output(['deploy', '--name', 'v', '--observe', '1ms'])).toMatchObject({ code: 0 });
	const { stdout } = await cli.output(['logs', '--name', 'v']);
	const lines = stdout.trim().split('\n').sort();
	expect(lines.map((line) => line.replace(/ \d+\]/, ' PID]'))).toEqual([
		'[0 PID] version 1',
		'[0 PID] version 2',
		'[1 PID] version 1',
		'[1 PID] version 2',
	]);
	const pid = /\[0 (\d+)\] version 1/.exec(stdout)?.[1] as string;
	expect((await cli.output(['logs', '--name', 'v', '--process', pid])).stdout).toBe('[0] version 1\n');
	run.process.kill('SIGTERM');
	expect(await run.exit).toBe(0);
});
