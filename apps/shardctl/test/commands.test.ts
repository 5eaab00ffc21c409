// Every command that connects to a running fleet, as a process: its output, its failures, and its exit status.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { tempDir, waitFor } from '@shardctl/test-support';
import { describe, expect, it } from 'vitest';
import { bot, runningFleet } from './running-fleet.js';
import { hasProgram, inTerminal } from './terminal.js';

const fleet = runningFleet(['--name', 'alpha', '--shards', '4', '--shards-per-worker', '2']);
const output = (...args: string[]) => fleet.cli.output(args);
const bin = fileURLToPath(new URL('../bin/shardctl.js', import.meta.url));

/** The id of a guild of a shard, as the fixture creates it. */
const guildOf = (shard: number) => String(BigInt(shard + 4 * 1_000_001) << 22n);

describe('stats', () => {
	it('shows the fleet and each shard, in lines without colour that fit', async () => {
		const { code, stdout, stderr } = await output('stats', '--name', 'alpha');
		expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
		expect(stdout).toMatch(/^alpha {2}running {2}4\/4 shards ready in 2 workers · 8 guilds · up \d/);
		expect(stdout).toMatch(/session starts left/);
		expect(stdout).toMatch(/SHARD {2}STATUS {2}GUILDS {2}USERS {3}PING/);
		expect(stdout.match(/^ {4}[0-3] {2}ready/gm)).toHaveLength(4);
		expect(stdout).not.toContain('\u001b');
	});

	it('--json has the documented shape', async () => {
		const { stdout } = await output('stats', '--json');
		const stats = JSON.parse(stdout) as { manager: Record<string, unknown>; shards: Record<string, unknown>[] };
		expect(stats.manager).toEqual({
			name: 'alpha',
			pid: fleet.run.pid,
			version: expect.stringMatching(/^\d/),
			totalShards: 4,
			shardIds: [0, 1, 2, 3],
			workers: 2,
			startedAt: expect.any(Number),
			uptimeMs: expect.any(Number),
			status: 'running',
			identify: {
				total: 1000,
				remaining: expect.any(Number),
				resetAt: expect.any(Number),
				maxConcurrency: 16,
				granted: expect.any(Number),
			},
		});
		expect(Object.keys(stats.shards[0] ?? {}).sort()).toEqual(
			[
				'shardId',
				'workerId',
				'pid',
				'status',
				'ready',
				'guildCount',
				'userCount',
				'ping',
				'memoryMb',
				'cpuPercent',
				'loopDelayMs',
				'uptimeMs',
				'restarts',
				'lastExit',
				'since',
				'closeCode',
			].sort(),
		);
	});

	it('--watch prints one picture after another without a terminal', async () => {
		const run = fleet.cli.run(['stats', '--watch', '--json', '--interval', '250ms']);
		await waitFor('three pictures', () => run.json().length >= 3);
		run.process.kill('SIGINT');
		expect(await run.exit).toBe(0);
	});

	it.skipIf(!hasProgram('script'))('--watch takes over a terminal of 80 columns, and restores it on q', async () => {
		const terminal = inTerminal(['stats', '--watch', '--name', 'alpha'], {
			env: { SHARDCTL_STATE_DIR: fleet.cli.stateDir },
			after: 'stty -a',
		});
		await waitFor('the second picture', () => terminal.raw().split('\u001b[?2026l').length > 2);
		terminal.type('q');
		expect(await terminal.exit).toBe(0);
		const [before, live = '', after = ''] = terminal.raw().replace('\u001b[?1049l', '\u001b[?1049h').split('\u001b[?1049h');
		expect(before).toBe('');
		expect(stripVTControlCharacters(live)).toMatch(
			/alpha {2}running[\s\S]*SHARD {2}STATUS[^\n]*MEMORY\*[^\n]*UP[^\n]*RESTARTS[^\n]*PID[\s\S]*q quits/,
		);
		expect(live).not.toContain('\u001b[2J');
		// The terminal adds a carriage return to ours.
		const lines = live.split('\u001b[?2026l').flatMap((frame) => stripVTControlCharacters(frame).split(/\r+\n/));
		expect(lines.filter((line) => line.length > 80)).toEqual([]);
		// Echo and line mode are as before.
		expect(after).toMatch(/[^-]icanon/);
		expect(after).toMatch(/[^-]echo /);
	});

	it('exits without an error when its reader closes the pipe', async () => {
		const child = spawn(
			'bash',
			['-o', 'pipefail', '-c', `"$0" "${bin}" stats --watch --interval 250ms --name alpha | head -n 1`, process.execPath],
			{
				env: { ...process.env, SHARDCTL_STATE_DIR: fleet.cli.stateDir },
				stdio: ['ignore', 'pipe', 'pipe'],
			},
		);
		let said = '';
		child.stderr.on('data', (text: Buffer) => {
			said += text;
		});
		const [code] = await once(child, 'close');
		expect({ code, said }).toEqual({ code: 0, said: '' });
	});

	it('--fresh asks the workers', async () => {
		expect((await output('stats', '--fresh', '--json')).code).toBe(0);
	});
});

describe('eval and fetch', () => {
	it('print the result of every worker, in the order of the shards', async () => {
		expect(await output('eval', 'client.shardIds')).toEqual({ code: 0, stdout: '[0-1] [ 0, 1 ]\n[2-3] [ 2, 3 ]\n', stderr: '' });
		expect((await output('fetch', 'guilds.cache.size')).stdout).toBe('[0-1] 4\n[2-3] 4\n');
	});

	it('are sent to the worker of a shard or a guild', async () => {
		expect((await output('eval', 'client.shardIds', '--shard', '2')).stdout).toBe('[ 2, 3 ]\n');
		expect((await output('eval', 'this.shardIds', '--guild', guildOf(1))).stdout).toBe('[ 0, 1 ]\n');
	});

	it('--json has one entry for each worker', async () => {
		expect(JSON.parse((await output('fetch', 'shardIds.0', '--json')).stdout)).toEqual([
			{ workerId: 0, shardIds: [0, 1], status: 'fulfilled', value: 0 },
			{ workerId: 1, shardIds: [2, 3], status: 'fulfilled', value: 2 },
		]);
	});

	it('report which worker failed and why, and exit with 1', async () => {
		const { code, stdout, stderr } = await output('eval', 'if (client.shardIds[0] === 2) throw new TypeError("no"); return 1');
		expect({ code, stdout }).toEqual({ code: 1, stdout: '[0-1] 1\n' });
		expect(stderr).toMatch(/error \[2-3\] TypeError: no/);
		const json = await output('eval', 'throw new RangeError("x")', '--json');
		expect(JSON.parse(json.stdout)[0]).toMatchObject({
			status: 'rejected',
			error: { code: 'REMOTE_ERROR', name: 'RangeError', message: 'x' },
		});
		expect(json.code).toBe(1);
	});

	it('report an invalid target', async () => {
		expect(await output('eval', '1', '--shard', '9')).toMatchObject({
			code: 1,
			stderr: expect.stringMatching(/shard 9 is not run by this manager/),
		});
		expect(await output('eval', '1', '--shard', '0', '--guild', '1')).toMatchObject({ code: 2 });
		expect(await output('eval', '1', '--guild', 'home')).toMatchObject({
			code: 2,
			stderr: expect.stringMatching(/guildId: must be a Discord id, got "home"/),
		});
		expect(await output('eval')).toMatchObject({ code: 2, stderr: expect.stringMatching(/missing required argument 'code'/) });
	});

	it('time out after the given time', async () => {
		const { code, stderr } = await output('eval', 'new Promise(() => {})', '--shard', '0', '--timeout', '100ms');
		expect({ code, stderr }).toEqual({
			code: 1,
			stderr: expect.stringMatching(/^error \[0-1\] CALL_TIMEOUT: "eval" got no reply within 100 ms/),
		});
	});
});

describe('metrics', () => {
	it('prints the Prometheus metrics, and nothing else', async () => {
		const { code, stdout, stderr } = await output('metrics', '--name', 'alpha');
		expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
		expect(stdout).toContain('shardctl_shard_ready{shard="3",worker="1",manager="alpha"} 1\n');
	});
});

describe('where', () => {
	it('finds a guild', async () => {
		expect((await output('where', guildOf(3))).stdout).toMatch(
			/^shard 3 {2}worker 1 {2}process \d+ {2}ready {2}\(guild 1 of 3, 10 members\)\n$/,
		);
		expect(JSON.parse((await output('where', guildOf(3), '--json')).stdout)).toEqual({
			guildId: guildOf(3),
			shardId: 3,
			workerId: 1,
			pid: expect.any(Number),
			status: 'ready',
			guild: { name: 'guild 1 of 3', memberCount: 10 },
		});
	});

	it('suggests the guild that was probably meant', async () => {
		const mistyped = `${guildOf(3).slice(0, -1)}${(Number(guildOf(3).at(-1)) + 1) % 10}`;
		const { code, stderr } = await output('where', mistyped);
		expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining(`did you mean ${guildOf(3)} (guild 1 of 3)?`) });
	});

	it('rejects an invalid id', async () => {
		expect(await output('where', 'home')).toMatchObject({ code: 2 });
	});
});

describe('logs and events', () => {
	it('print the last entries, of all or of one shard', async () => {
		const { stdout } = await output('logs');
		expect(stdout).toMatch(/^\[0-1\] hello from 0,1$/m);
		expect(stdout).toMatch(/^\[2-3\] hello from 2,3$/m);
		expect((await output('logs', '--shard', '3')).stdout).not.toContain('[0-1]');
		expect((await output('logs', '--tail', '0')).stdout).toBe('');
		expect((await output('logs', '--shard', '9')).code).toBe(1);
		expect((await output('events')).stdout).toMatch(/ ● fleet ready: 4 shards in 2 workers after \d/);
	});

	it('--json prints one object per line', async () => {
		const lines = (await output('logs', '--json')).stdout.trim().split('\n');
		expect(JSON.parse(lines[0] as string)).toEqual({
			at: expect.any(Number),
			workerId: expect.any(Number),
			pid: expect.any(Number),
			shardIds: expect.any(Array),
			stream: 'stdout',
			line: expect.any(String),
		});
		const events = (await output('events', '--json')).stdout
			.trim()
			.split('\n')
			.map((line) => JSON.parse(line) as { seq: number; type: string });
		expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => (events[0]?.seq as number) + index));
	});

	it('-f follows until Ctrl-C', async () => {
		const logs = fleet.cli.run(['logs', '-f', '--shard', '0']);
		const events = fleet.cli.run(['events', '-f', '--tail', '1']);
		await waitFor('the last lines', () => logs.stdout() !== '' && events.stdout() !== '');
		await output('eval', 'console.log("a new line")');
		await waitFor('the new line', () => logs.stdout().includes('[0-1] a new line'));
		expect(logs.stdout()).not.toContain('[2-3]');
		await output('respawn', '1');
		await waitFor('the respawn', () =>
			/worker 0 \(shards 0-1\) stopped as requested[\s\S]*worker 0 \(shards 0-1\) is ready/.test(events.stdout()),
		);
		for (const run of [logs, events]) run.process.kill('SIGINT');
		expect([await logs.exit, await events.exit]).toEqual([0, 0]);
	});
});

describe('events', () => {
	const types = async (...args: string[]) => {
		const { code, stdout } = await output('events', '--json', ...args);
		expect(code).toBe(0);
		return stdout
			.split('\n')
			.filter(Boolean)
			.map((line) => JSON.parse(line) as { type: string; workerId?: number; shardIds?: number[]; shardId?: number });
	};

	it('are filtered by shard, worker, type and time before the last ones are selected', async () => {
		expect((await types('--type', 'worker')).every(({ type }) => type.startsWith('worker:'))).toBe(true);
		expect((await types('--type', 'worker:spawned,fleet')).map(({ type }) => type)).toContain('fleet:ready');
		expect(new Set((await types('--worker', '1')).map(({ workerId }) => workerId))).toEqual(new Set([1]));
		const ofShard = await types('--shard', '0', '--type', 'worker,shard');
		expect(ofShard.every(({ shardIds, shardId }) => shardIds?.includes(0) ?? shardId === 0)).toBe(true);
		expect(await types('--type', 'fleet:ready', '--tail', '1')).toMatchObject([{ type: 'fleet:ready' }]);
		expect(await types('--since', '2099-01-01')).toEqual([]);
		expect(await output('events', '--since', 'yesterday')).toMatchObject({ code: 2 });
	});

	it('that many shards share are printed on one line', async () => {
		const { stdout } = await output('events', '--type', 'fleet,worker:spawned');
		expect(stdout).toMatch(/worker 0 \(shards 0-1\) started as process \d+\n/);
		expect((await output('events', '--type', 'shard:ready')).stdout.trim().split('\n').length).toBeLessThanOrEqual(
			(await types('--type', 'shard:ready')).length,
		);
	});
});

describe('respawn and restart', () => {
	const pids = async () => {
		const { stdout } = await output('stats', '--json');
		return (JSON.parse(stdout) as { shards: { pid: number }[] }).shards.map(({ pid }) => pid);
	};

	it('replace their target, and return when it is ready', async () => {
		const before = await pids();
		expect(await output('respawn', '3')).toMatchObject({ code: 0, stderr: 'worker 1 (shards 2-3) is ready again\n' });
		const respawned = await pids();
		expect(respawned.slice(0, 2)).toEqual(before.slice(0, 2));
		expect(respawned[3]).not.toBe(before[3]);
		expect(await output('restart', '--worker', '0')).toMatchObject({
			code: 0,
			stderr: expect.stringMatching(/^restarted worker 0 of alpha in /),
		});
		expect(await output('restart', '--rolling')).toMatchObject({
			code: 0,
			stderr: expect.stringMatching(
				/^worker 0 \(shards 0-1\) restarted \(1 of 2 done\)\nworker 1 .*\(2 of 2 done\)\nrestarted 2 workers of alpha in /,
			),
		});
		expect((await pids()).some((pid) => [...before, ...respawned].includes(pid))).toBe(false);
	});

	it('report a target that does not exist', async () => {
		expect(await output('respawn', '9')).toMatchObject({
			code: 1,
			stderr: expect.stringMatching(/shard 9 is not run by this manager, which runs shards 0-3 of 4/),
		});
		expect(await output('respawn', 'x')).toMatchObject({ code: 2 });
		expect(await output('restart', '--worker', '9')).toMatchObject({
			code: 1,
			stderr: expect.stringMatching(/there is no worker 9: this manager has workers 0-1/),
		});
		expect(await output('restart', '--shard', '0', '--rolling')).toMatchObject({ code: 2 });
		for (const command of [['deploy'], ['restart', '--gateways']]) {
			const { code, stderr } = await output(...command);
			expect({ code, stderr }).toEqual({
				code: 2,
				stderr: expect.stringMatching(/start (it|the fleet) with gateway "resident"/),
			});
		}
	});
});

describe('which manager', () => {
	it('two run side by side: --name selects, a wrong name gets a suggestion, none is an error', async () => {
		const folder = tempDir();
		const beta = fleet.cli.run(['start', bot, '--name', 'beta', '--shards', '1'], { env: fleet.env, cwd: folder });
		await beta.message(/^fleet ready/);

		expect((await output('list', '--quiet')).stdout).toBe('alpha\nbeta\n');
		const listed = JSON.parse((await output('list', '--json')).stdout) as Record<string, unknown>[];
		expect(listed).toMatchObject([
			{ name: 'alpha', status: 'running', shards: 4, readyShards: 4, workers: 2, pid: fleet.run.pid, file: bot },
			{ name: 'beta', status: 'running', shards: 1, readyShards: 1, workers: 1, pid: beta.pid, cwd: folder },
		]);
		expect((await output('list')).stdout).toMatch(/^NAME +STATUS +SHARDS[^\n]*\nalpha +running +4\/4[^\n]*\nbeta +running +1\/1/);

		const elsewhere = { cwd: tempDir() };
		expect(await fleet.cli.output(['stats'], elsewhere)).toMatchObject({
			code: 2,
			stderr: expect.stringMatching(/several fleets are running; pick one with --name: alpha, beta/),
		});
		// In the folder where it was started, no name is needed.
		expect((await fleet.cli.output(['stats', '--json'], { cwd: folder })).stdout).toContain('"name": "beta"');
		expect(await output('stats', '--name', 'bta')).toMatchObject({
			code: 3,
			stderr: expect.stringMatching(/no manager named "bta" is running; did you mean "beta"\?/),
		});

		expect(await output('stop', '--name', 'beta')).toEqual({ code: 0, stdout: '', stderr: 'stopped beta\n' });
		expect(await beta.exit).toBe(0);
		expect((await output('stats', '--name', 'alpha')).code).toBe(0);
		expect((await fleet.cli.output(['stats', '--json'], elsewhere)).stdout).toContain('"name": "alpha"');
		// Commands that end or replace processes do not select the only fleet if it is of another folder.
		for (const command of ['stop --grace 1s', 'restart --rolling', 'deploy --first stop', 'respawn 0']) {
			const [verb] = command.split(' ');
			const { code, stderr } = await fleet.cli.output(command.split(' '), elsewhere);
			expect({ code, stderr: stderr.replace(/ {2}\S.*? (?=stop|restart|deploy|respawn)/, '  shardctl ') }).toEqual({
				code: 3,
				stderr: expect.stringContaining(
					`no fleet of this folder is running; to ${verb} another one:\n  shardctl ${command} --name alpha  (started in `,
				),
			});
		}
		expect((await output('stats', '--name', 'alpha')).code).toBe(0);
	});

	it('every command exits with 3 when none runs', async () => {
		const none = { env: { SHARDCTL_STATE_DIR: tempDir() } };
		const commands = ['stats', 'logs', 'events', 'stop', 'restart', 'deploy', 'respawn 0', 'eval 1', 'fetch x', 'where 1'];
		const ends = await Promise.all(commands.map((command) => fleet.cli.output(command.split(' '), none)));
		const notRunning = expect.stringMatching(/no manager named .* is running; start one/) as string;
		expect(ends).toEqual(commands.map(() => ({ code: 3, stdout: '', stderr: notRunning })));
	});

	it('list reports that none runs, which is no failure', async () => {
		const none = { env: { SHARDCTL_STATE_DIR: tempDir() } };
		expect(await fleet.cli.output(['list'], none)).toEqual({
			code: 0,
			stdout: '',
			stderr: 'no fleet is running; start one with "shardctl start <file>"\n',
		});
		expect((await fleet.cli.output(['list', '--json'], none)).stdout).toBe('[]\n');
	});
});
