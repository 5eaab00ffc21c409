// An id of a process is used again by the system. Records name a process by its id and its time of start, so that no other process is
// believed to be the manager, and none is ended as a leftover.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cliSandbox, isAlive, tempDir } from '@shardctl/test-support';
import { expect, it, onTestFinished } from 'vitest';
import { tinyBot } from './fleet.js';

const inNamespace = ['--pid', '--fork', '--mount-proc', '--kill-child'];
const canReuse =
	process.platform === 'linux' && process.getuid?.() === 0 && spawnSync('unshare', [...inNamespace, 'true']).status === 0;
const notice = canReuse ? '' : ' (skipped: needs root and unshare, to choose the id of a process)';
const built = (path: string) => fileURLToPath(new URL(`../../packages/${path}`, import.meta.url));

it.runIf(canReuse)(`a process that was given the id of a recorded one is not that one, and is left alone${notice}`, () => {
	const script = join(import.meta.dirname, 'fixtures/reuse-pid.mjs');
	const args = [built('manager/dist/workers/orphans.js'), built('control/dist/index.js'), tempDir()];
	const found = execFileSync('unshare', [...inNamespace, process.execPath, script, ...args], {
		encoding: 'utf8',
		timeout: 60_000,
	});
	expect(JSON.parse(found)).toEqual({ reused: true, before: 'yes', after: 'no', warnings: [], alive: true });
});

it.runIf(process.platform === 'linux')(
	"no command takes another program's process for the manager whose id it has, and a start replaces the record",
	async () => {
		const cli = cliSandbox();
		const start = ['start', tinyBot, '--shards', '1', '--simulate', '2', '--name', 'reused', '--log-format', 'json'];
		const first = cli.run(start);
		await first.message(/^fleet ready/);
		const path = join(cli.stateDir, 'reused.lock');
		const record = JSON.parse(readFileSync(path, 'utf8')) as { pid: number };
		expect(record.pid).toBe(first.pid);
		first.process.kill('SIGKILL');
		await first.exit;
		const other = spawn('sleep', ['600'], { stdio: 'ignore' });
		onTestFinished(() => void other.kill('SIGKILL'));
		writeFileSync(path, JSON.stringify({ ...record, pid: other.pid }));

		expect(await cli.output(['list', '--json'])).toMatchObject({ code: 0, stdout: '[]\n' });
		for (const command of ['stop', 'stats', 'health'])
			expect([command, (await cli.output([command, '--name', 'reused'])).code]).toEqual([command, 3]);
		const next = cli.run(start);
		await next.message(/^fleet ready/);
		expect(isAlive(other.pid as number)).toBe(true);
		expect(await cli.output(['stop', '--name', 'reused'])).toMatchObject({ code: 0 });
		expect(await next.exit).toBe(0);
		expect(isAlive(other.pid as number)).toBe(true);
	},
);
