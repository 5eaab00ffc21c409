// The README's service recipes, as far as one machine can test them: as process 1 of a PID namespace, on a root that is
// mounted read-only, without a terminal; and the unit as systemd itself reads it. What a machine cannot do is skipped.
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createSimulator } from '@shardctl/simulator';
import { cliSandbox, tempDir } from '@shardctl/test-support';
import { describe, expect, it, onTestFinished } from 'vitest';
import { bot } from './running-fleet.js';
import { hasProgram } from './terminal.js';

const bin = fileURLToPath(new URL('../bin/shardctl.js', import.meta.url));
const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const [, unit = ''] = /```ini\n([\s\S]*?)```/.exec(readme) ?? [];
const [, containerFile = ''] = /```dockerfile\n([\s\S]*?)```/.exec(readme) ?? [];
const [, dockerCommand = ''] = /`(docker run [^`]*)`/.exec(readme) ?? [];
const [, ...containerArgs] = JSON.parse(/^CMD (.*)$/m.exec(containerFile)?.[1] ?? '[]') as string[];

const succeeds = (command: string, ...args: string[]) => spawnSync(command, args).status === 0;
const namespaces = ['--user', '--map-root-user'];
/** Without root, a user namespace provides what is needed, if the system allows it. */
const unshare = succeeds('unshare', '--mount', 'true') ? ['unshare'] : ['unshare', ...namespaces];
const canPid = succeeds(unshare[0] as string, ...unshare.slice(1), '--pid', '--fork', '--mount-proc', 'true');
const readOnlyRoot = 'mount --make-rprivate / && mount --bind "$STATE" "$STATE" && mount -o remount,ro,bind /';
const canMount = succeeds(
	unshare[0] as string,
	...unshare.slice(1),
	'--mount',
	'sh',
	'-c',
	`STATE=/tmp; ${readOnlyRoot}; ! touch /shardctl-probe`,
);

/** A folder as in the recipes, with bot.js inside, and the environment for a simulated Discord. */
async function service() {
	const simulator = await createSimulator({ guilds: 2, maxConcurrency: 16, shards: 2 });
	onTestFinished(() => simulator.stop());
	const cwd = tempDir();
	writeFileSync(join(cwd, 'package.json'), '{ "name": "my-bot" }');
	writeFileSync(join(cwd, 'bot.js'), `import(${JSON.stringify(bot)});`);
	return { cwd, env: { DISCORD_TOKEN: simulator.token, SHARDCTL_API: simulator.url } };
}

/** The child of a process: of `unshare --fork`, what is process 1 inside. */
function childOf(pid: number): number {
	return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim());
}

describe('the container', () => {
	it('has its state where the recipe mounts a writable folder', () => {
		const mounted = /--tmpfs (\S+)/.exec(dockerCommand)?.[1];
		expect(/^ENV SHARDCTL_STATE_DIR=(\S+)$/m.exec(containerFile)?.[1]).toMatch(new RegExp(`^${mounted}/`));
		expect(containerArgs.slice(1)).toEqual(['start', 'bot.js']);
	});

	it.skipIf(!canPid)('runs as process 1: SIGTERM stops the fleet with status 0 and leaves nothing', async () => {
		const { cwd, env } = await service();
		const cli = cliSandbox();
		const command = [...unshare, '--pid', '--fork', '--kill-child', '--mount-proc', process.execPath, bin];
		const run = cli.run(containerArgs.slice(1), { cwd, env, command });
		const ready = await run.message(/^fleet ready: 2 shards/);
		expect(ready.pid).toBe(1);
		expect(cli.survivors().length).toBeGreaterThanOrEqual(4);
		process.kill(childOf(run.pid), 'SIGTERM');
		expect(await run.exit).toBe(0);
		expect(run.json().map(({ msg }) => msg)).toEqual(
			expect.arrayContaining(['SIGTERM: stopping; press again to kill', 'stopped']),
		);
		expect(cli.survivors()).toEqual([]);
	});

	it.skipIf(!canPid)('leaves nothing when process 1 is killed by SIGKILL', async () => {
		const { cwd, env } = await service();
		const cli = cliSandbox();
		const command = [...unshare, '--pid', '--fork', '--kill-child', '--mount-proc', process.execPath, bin];
		const run = cli.run(containerArgs.slice(1), { cwd, env, command });
		await run.message(/^fleet ready/);
		process.kill(childOf(run.pid), 'SIGKILL');
		await run.exit;
		expect(cli.survivors()).toEqual([]);
		// The name is free again, whatever the killed one has left in the state folder.
		const next = cli.run(containerArgs.slice(1), { cwd, env });
		await next.message(/^fleet ready/);
		next.process.kill('SIGTERM');
		expect(await next.exit).toBe(0);
	});

	it.skipIf(!canMount)('runs on a read-only root with only its state folder writable', async () => {
		const { cwd, env } = await service();
		const cli = cliSandbox();
		const script = `${readOnlyRoot} || exit 90; touch /shardctl-probe 2>/dev/null && exit 91; exec "$0" "$@"`;
		const run = cli.run(containerArgs.slice(1), {
			cwd,
			env: { ...env, STATE: cli.stateDir, HOME: '/nonexistent' },
			command: [...unshare, '--mount', 'sh', '-c', script, process.execPath, bin],
		});
		await run.message(/^fleet ready: 2 shards/);
		const { code, stdout } = await cli.output(['stats', '--json'], { cwd });
		expect(code).toBe(0);
		expect(JSON.parse(stdout)).toMatchObject({ manager: { name: 'my-bot', status: 'running' } });
		run.process.kill('SIGTERM');
		expect(await run.exit).toBe(0);
		expect(cli.survivors()).toEqual([]);
	});
});

describe('the systemd unit', () => {
	it('calls an existing command, which runs until SIGTERM to the manager alone', async () => {
		// npx and npm would not pass the signal on.
		const [, folder, line = ''] = /^ExecStart=(\S+)\/node_modules\/\.bin\/shardctl (.*)$/m.exec(unit) ?? [];
		expect(unit).toContain(`WorkingDirectory=${folder}\n`);
		const { cwd, env } = await service();
		const cli = cliSandbox();
		const runtime = tempDir();
		const systemd = { ...env, SHARDCTL_STATE_DIR: '', RUNTIME_DIRECTORY: runtime, INVOCATION_ID: '0' };
		const run = cli.run(line.split(' '), { cwd, env: systemd });
		await run.message(/^fleet ready/);
		// As the README shows it for a shell.
		const asked = await cli.output(['stats'], { cwd, env: { SHARDCTL_STATE_DIR: join(runtime, 'shardctl') } });
		expect(asked).toMatchObject({ code: 0, stdout: expect.stringMatching(/^my-bot {2}running/) });
		run.process.kill('SIGTERM');
		expect(await run.exit).toBe(0);
		expect(cli.survivors()).toEqual([]);
	});

	it.skipIf(!hasProgram('systemd-analyze'))('is accepted by systemd without a warning', () => {
		const path = join(tempDir(), 'my-bot.service');
		// Only the paths of programs depend on the machine.
		writeFileSync(path, unit.replace(/^ExecStart=\S+/m, `ExecStart=${process.execPath}`));
		const { status, stdout, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', path], { encoding: 'utf8' });
		const remarks = `${stdout}${stderr}`.split('\n').filter((text) => text.includes('my-bot.service'));
		expect({ status, remarks }).toEqual({ status: 0, remarks: [] });
	});
});
