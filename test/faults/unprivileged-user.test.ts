// What another user of the machine can do to a fleet: read no secret, and have no effect. A script as that user tries every access at once.
// Becoming another user needs root; elsewhere the test is skipped, and its name shows it.
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { cliSandbox, listeningPorts, tempDir } from '@shardctl/test-support';
import { expect, it } from 'vitest';

const other = 65_534;
const asOther = ['--reuid', String(other), '--regid', String(other), '--clear-groups'];
const canSwitch =
	process.platform === 'linux' && process.getuid?.() === 0 && spawnSync('setpriv', [...asOther, 'true']).status === 0;
const notice = canSwitch ? '' : ' (skipped: needs root and setpriv, to become another user)';
const token = 'MTIzNDU2Nzg5MDEyMzQ1Njc4.Gabcde.secret-that-no-other-user-sees';

it.runIf(canSwitch)(`another user of the machine learns no secret and has no effect${notice}`, { timeout: 180_000 }, async () => {
	const folder = tempDir();
	chmodSync(folder, 0o755);
	const attack = join(folder, 'attack.mjs');
	copyFileSync(join(import.meta.dirname, 'fixtures/attack-as-other-user.mjs'), attack);
	const state = join(folder, 'state');
	mkdirSync(state, { mode: 0o700 });
	const cli = cliSandbox();
	const env = { SHARDCTL_STATE_DIR: state, DISCORD_TOKEN: token };
	const run = cli.run(
		[
			'start',
			join(import.meta.dirname, 'fixtures/discordjs-bot.cjs'),
			'--shards',
			'2',
			'--simulate',
			'4',
			'--gateway',
			'resident',
			'--rest',
			'shared',
			'--dashboard',
			'--port',
			'0',
			'--name',
			'prod',
			'--log-format',
			'json',
		],
		{ env },
	);
	await run.message(/fleet ready/, 60_000);
	const before = JSON.parse((await cli.output(['stats', '--name', 'prod', '--json'], { env })).stdout) as Stats;
	const pids = cli.survivors();
	const ports = [...new Set(pids.flatMap(listeningPorts))];
	expect(ports.length).toBeGreaterThan(2);

	const found = JSON.parse(
		execFileSync('setpriv', [...asOther, process.execPath, attack, state, JSON.stringify(pids), JSON.stringify(ports)], {
			encoding: 'utf8',
			env: { PATH: process.env.PATH ?? '' },
			timeout: 90_000,
		}),
	) as { effects: string[]; texts: string[]; tried: number };
	expect(found.effects).toEqual([]);
	expect(found.tried).toBeGreaterThan(30);
	for (const text of found.texts) {
		expect(text).not.toContain(token);
		expect(text).not.toContain(token.split('.')[2]);
	}

	const after = JSON.parse((await cli.output(['stats', '--name', 'prod', '--json'], { env })).stdout) as Stats;
	expect(after.shards.map(({ pid, status }) => [pid, status])).toEqual(before.shards.map(({ pid }) => [pid, 'ready']));
	expect(after.gateways.map(({ pid }) => pid)).toEqual(before.gateways.map(({ pid }) => pid));
	expect(after.rest.pid).toBe(before.rest.pid);
	expect(pids).toContain(before.rest.pid);
	// What SECURITY.md says about modes.
	const open = readdirSync(state, { recursive: true, encoding: 'utf8' })
		.filter((entry) => !entry.startsWith('compile-cache'))
		.filter((entry) => (statSync(join(state, entry)).mode & 0o077) !== 0);
	expect(open).toEqual([]);
	expect(await cli.output(['stop', '--name', 'prod'], { env })).toMatchObject({ code: 0 });
	expect(await run.exit).toBe(0);
});

it.runIf(canSwitch)(`a folder that another user has created for records is not trusted${notice}`, async () => {
	const base = tempDir();
	chmodSync(base, 0o1777);
	const fake = join(base, `shardctl-${process.getuid?.()}`);
	const record = {
		pid: process.pid,
		startedAtTicks: null,
		boot: null,
		namespace: null,
		name: 'prod',
		cwd: '/',
		file: '/x',
		since: 1,
	};
	const script = `const fs = require('node:fs'); fs.mkdirSync(${JSON.stringify(fake)}, { mode: 0o755 });
		fs.writeFileSync(${JSON.stringify(join(fake, 'prod.lock'))}, ${JSON.stringify(JSON.stringify(record))});`;
	execFileSync('setpriv', [...asOther, process.execPath, '-e', script]);
	const cli = cliSandbox();
	const env = { SHARDCTL_STATE_DIR: '', HOME: '/', TMPDIR: base, XDG_STATE_HOME: '', XDG_RUNTIME_DIR: '' };
	expect(await cli.output(['list', '--json'], { env })).toMatchObject({ code: 0, stdout: '[]\n' });
	expect(await cli.output(['stop', '--name', 'prod'], { env })).toMatchObject({ code: 3 });
});

interface Stats {
	shards: { pid: number; status: string }[];
	gateways: { pid: number }[];
	rest: { pid: number };
}
