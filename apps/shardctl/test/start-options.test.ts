// How `start` reads its options: flag over environment over config file, each mistake with its location; and how it runs in the
// background, with log files.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createSimulator } from '@shardctl/simulator';
import { cliSandbox, isAlive, tempDir, waitFor } from '@shardctl/test-support';
import { describe, expect, it, onTestFinished } from 'vitest';
import { bot } from './running-fleet.js';

const examplePath = fileURLToPath(new URL('../../examples/plain-bot/bot.cjs', import.meta.url));

async function discord() {
	const simulator = await createSimulator({ guilds: 4, maxConcurrency: 16 });
	onTestFinished(() => simulator.stop());
	return { DISCORD_TOKEN: simulator.token, SHARDCTL_API: simulator.url };
}

/** A folder with one config file. */
function folderWith(name: string, text: string): string {
	const folder = tempDir();
	writeFileSync(join(folder, name), text);
	return folder;
}

async function stopped(cli: ReturnType<typeof cliSandbox>, name: string) {
	expect(await cli.output(['stop', '--name', name])).toMatchObject({ code: 0 });
	await waitFor('the end of every process', () => cli.survivors().length === 0);
}

describe('the token', () => {
	it('is found where the bot keeps it, and the place is reported', async () => {
		const { DISCORD_TOKEN: token, SHARDCTL_API } = await discord();
		const cwd = folderWith('config.json', JSON.stringify({ bot: { token } }));
		const cli = cliSandbox();
		const run = cli.run(['start', bot, '--shards', '1'], { env: { SHARDCTL_API }, cwd });
		await run.message(/^using the bot token of config\.json, line 1; DISCORD_TOKEN or --token-file replaces it$/);
		await run.message(/^fleet ready: 1 shard /);
		run.process.kill('SIGTERM');
		expect(await run.exit).toBe(0);
	});
});

it.each([['--gateway=direct'], ['--gateway=resident'], ['--worker-mode=thread', '--threads-per-process=2']])(
	'SIGUSR2, with which nodemon restarts, ends the fleet in order where each process gets it, with %s',
	async (...mode) => {
		const cli = cliSandbox();
		const run = cli.run(['start', bot, '--shards', '2', ...mode], { env: await discord(), cwd: tempDir() });
		await run.message(/^fleet ready: 2 shards /);
		// Those that the manager started get it before the manager knows of it.
		for (const pid of cli.survivors()) if (pid !== run.pid) process.kill(pid, 'SIGUSR2');
		run.process.kill('SIGUSR2');
		expect(await run.exit).toBe(0);
		expect(run.stdout()).not.toMatch(/was killed by/);
		expect(cli.survivors()).toEqual([]);
	},
);

describe('the config file', () => {
	it.each([
		['shardctl.config.json', JSON.stringify({ file: bot, name: 'conf', shards: 3, shardsPerWorker: 3 })],
		[
			'shardctl.config.js',
			`module.exports = { file: ${JSON.stringify(bot)}, name: 'conf', totalShards: 3, shardsPerWorker: 3 };`,
		],
		[
			'shardctl.config.ts',
			`import type { ShardctlConfig } from 'shardctl';
			export default { file: ${JSON.stringify(bot)}, name: 'conf', shards: 3, shardsPerWorker: 3, readyTimeout: '20s' } satisfies ShardctlConfig;`,
		],
	])('%s is found and used', async (name, text) => {
		const cli = cliSandbox();
		const run = cli.run(['start'], { env: await discord(), cwd: folderWith(name, text) });
		await run.message(/^fleet ready: 3 shards in 1 worker /);
		expect((await cli.output(['list', '--quiet'])).stdout).toBe('conf\n');
		run.process.kill('SIGTERM');
		expect(await run.exit).toBe(0);
	});

	it('is overridden by the environment, which is overridden by the command line', async () => {
		const cwd = folderWith(
			'shardctl.config.json',
			JSON.stringify({ file: bot, name: 'from-file', shards: 1, shardsPerWorker: 4 }),
		);
		const cli = cliSandbox();
		const env = { ...(await discord()), SHARDCTL_NAME: 'from-env', SHARDCTL_SHARDS: '2', SHARDCTL_DETACH: '0' };
		const run = cli.run(['start', '--shards', '3'], { env, cwd });
		await run.message(/^fleet ready: 3 shards in 1 worker /);
		expect((await cli.output(['list', '--quiet'])).stdout).toBe('from-env\n');
		run.process.kill('SIGTERM');
		expect(await run.exit).toBe(0);
	});

	it.each([
		[
			'a wrong value',
			'{\n  "file": "bot.js",\n  "shards": 0\n}',
			/shardctl\.config\.json:3: shards: must be a whole number from 1, or "auto", got 0/,
		],
		[
			'a notation that cannot be read',
			'{\n  "file": "bot.js",\n\n  "grace": "soon" }',
			/shardctl\.config\.json:4: grace: must be a duration such as .*got "soon"/,
		],
		[
			'an unknown key',
			'{ "file": "bot.js",\n "shrads": 2 }',
			/shardctl\.config\.json:2: shrads: is not an option; did you mean "shards"\?/,
		],
		[
			'a wrong part of an option',
			'{ "file": "bot.js",\n "respawn": {\n  "maxRestarts": 0 } }',
			/shardctl\.config\.json:3: respawn\.maxRestarts: must be a whole number from 1, got 0/,
		],
		[
			'two names for one option',
			'{ "file": "bot.js", "shards": 2,\n "totalShards": 2 }',
			/shardctl\.config\.json:2: totalShards: says the same as shards/,
		],
		['no JSON', '{\n "file": "bot.js"\n "shards": 2 }', /shardctl\.config\.json:3: not JSON/],
		['no object', '[]', /must contain an object of options, got an array/],
	])('%s is reported with file and line, and exit status 2', async (_, text, pattern) => {
		const cwd = folderWith('shardctl.config.json', text);
		writeFileSync(join(cwd, 'bot.js'), '');
		const { code, stderr } = await cliSandbox().output(['start'], { cwd, env: { DISCORD_TOKEN: 'a.b.c' } });
		expect(stderr).toMatch(pattern);
		expect(code).toBe(2);
	});

	it.each([
		['shardctl.config.js', 'export default {\n  file: "bot.js",\n  shards: 2,,\n};', /shardctl\.config\.js:3: /],
		[
			'shardctl.config.ts',
			'const broken = undefined as any;\nexport default { file: broken.path };',
			/shardctl\.config\.ts:2: Cannot read properties of undefined/,
		],
	])('%s that fails to load is reported with the line', async (name, text, pattern) => {
		const { code, stderr } = await cliSandbox().output(['start'], { cwd: folderWith(name, text) });
		expect(stderr).toMatch(pattern);
		expect(code).toBe(2);
	});

	it('that was named but does not exist, or that names no bot, is reported', async () => {
		const cli = cliSandbox();
		expect(await cli.output(['start', '--config', 'nowhere.json'])).toMatchObject({
			code: 2,
			stderr: expect.stringMatching(/nowhere\.json does not exist/),
		});
		expect(await cli.output(['start'], { cwd: tempDir() })).toMatchObject({
			code: 2,
			stderr: expect.stringMatching(/name the file that starts the bot/),
		});
	});
});

describe('--detach', () => {
	it('leaves a fleet in the background, with a log, until stop', async () => {
		const cli = cliSandbox();
		const { code, stdout, stderr } = await cli.output(['start', bot, '--detach', '--name', 'back', '--shards', '2'], {
			env: await discord(),
		});
		expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
		const pid = Number(/runs in the background as process (\d+): 2 shards/.exec(stderr)?.[1]);
		expect(isAlive(pid)).toBe(true);
		const log = join(cli.stateDir, 'logs', 'back.log');
		expect(stderr).toContain(log);
		await waitFor('the fleet in the log', () => /"msg":"fleet ready: 2 shards/.test(readFileSync(log, 'utf8')));
		expect(readFileSync(log, 'utf8')).toMatch(/"msg":"hello from 0"/);
		const first = await cli.output(['logs', '--name', 'back']);
		expect(first.stdout).toContain('hello from 1');
		const again = await cli.output(['start', bot, '--detach', '--name', 'back'], { env: await discord() });
		expect(again).toMatchObject({
			code: 1,
			stderr: expect.stringMatching(new RegExp(`"back" is running already \\(process ${pid}\\)`)),
		});
		await stopped(cli, 'back');
		expect(isAlive(pid)).toBe(false);
	});

	it('A4: with --wait, returns when the fleet is ready, or when it has failed, with the reason and the exit status', async () => {
		const cli = cliSandbox();
		const env = await discord();
		const up = await cli.output(['start', bot, '-d', '--wait', '--name', 'up', '--shards', '2'], { env });
		expect(up).toMatchObject({ code: 0, stderr: expect.stringContaining('up runs in the background') });
		const health = await cli.output(['health', '--name', 'up']);
		expect(health).toMatchObject({ code: 0, stdout: 'up  healthy  2/2 shards served\n' });
		await stopped(cli, 'up');
		expect(await cli.output(['health', '--name', 'up'])).toMatchObject({ code: 3 });
		const crashing = join(folderWith('crash.cjs', 'throw new Error("boom");'), 'crash.cjs');
		const failed = await cli.output(['start', crashing, '-d', '--wait', '--no-respawn', '--name', 'crashing', '--shards', '2'], {
			env,
		});
		expect(failed).toMatchObject({ code: 5, stderr: expect.stringMatching(/2 of 2 workers were given up.*boom/s) });
		expect(cli.survivors()).toEqual([]);
	});

	it('reports why the fleet did not start, with its exit status', async () => {
		const cli = cliSandbox();
		const { SHARDCTL_API } = await discord();
		const refused = await cli.output(['start', bot, '-d', '--name', 'refused'], {
			env: { DISCORD_TOKEN: 'wrong', SHARDCTL_API },
		});
		expect(refused).toMatchObject({ code: 4, stderr: expect.stringMatching(/^error: Discord answered 401/) });
		const wrong = await cli.output(['start', 'nothing.js', '-d'], { env: { DISCORD_TOKEN: 'a.b.c' } });
		expect(wrong).toMatchObject({ code: 2, stderr: expect.stringMatching(/nothing\.js does not exist/) });
		expect(cli.survivors()).toEqual([]);
	});
});

describe('--simulate', () => {
	it('prints the address of the simulator, which stats shows as well', async () => {
		const cli = cliSandbox();
		const run = cli.run(['start', bot, '--simulate', '4', '--shards', '2', '--name', 'simulated']);
		const { url } = (await run.message(/^simulator at http:/)) as { url: string };
		await run.message(/^fleet ready/);
		const { stdout } = await cli.output(['stats', '--json', '--name', 'simulated']);
		expect(JSON.parse(stdout)).toMatchObject({ manager: { simulator: { url } } });
		expect((await fetch(`${url}/v10/gateway`)).status).toBe(200);
		run.process.kill('SIGTERM');
		expect(await run.exit).toBe(0);
	});
});

describe('stop', () => {
	it('during the start is a requested end, with exit status 0', async () => {
		const simulator = await createSimulator({ guilds: 4, maxConcurrency: 1, shards: 3 });
		onTestFinished(() => simulator.stop());
		const cli = cliSandbox();
		const env = { DISCORD_TOKEN: simulator.token, SHARDCTL_API: simulator.url };
		const run = cli.run(['start', examplePath, '--name', 'early'], { env });
		await waitFor('the plan', async () =>
			(await cli.output(['stats', '--json', '--name', 'early'])).stdout.includes('"totalShards": 3'),
		);
		expect(await cli.output(['stop', '--name', 'early', '--grace', '5s'])).toMatchObject({ code: 0, stderr: 'stopped early\n' });
		expect(await run.exit).toBe(0);
		expect(cli.survivors()).toEqual([]);
	});
});

describe('a manager that was killed by SIGKILL', () => {
	it('leaves a name that the next start can use', async () => {
		const cli = cliSandbox();
		const env = await discord();
		const first = cli.run(['start', bot, '--name', 'phoenix', '--shards', '1'], { env });
		await first.message(/^fleet ready/);
		first.process.kill('SIGKILL');
		await first.exit;
		expect(readdirSync(cli.stateDir)).toEqual(expect.arrayContaining(['phoenix.lock', 'phoenix.sock']));
		expect(await cli.output(['stats', '--name', 'phoenix'])).toMatchObject({ code: 3 });
		const second = cli.run(['start', bot, '--name', 'phoenix', '--shards', '1'], { env });
		await second.message(/^fleet ready/);
		expect((await cli.output(['stats', '--json', '--name', 'phoenix'])).stdout).toContain(`"pid": ${second.pid}`);
		second.process.kill('SIGTERM');
		expect(await second.exit).toBe(0);
		// The remaining files record how it ended, for `list --all`, `logs` and `events`; and node's compile cache, from Node 22.1 on.
		expect(readdirSync(cli.stateDir).filter((name) => name !== 'compile-cache')).toEqual(['history']);
	});
});

describe('in a container', () => {
	it('runs with only the state folder writable, without a home, a user entry or a terminal', async () => {
		const cli = cliSandbox();
		const folder = tempDir();
		mkdirSync(join(folder, 'state'));
		const env = { ...(await discord()), HOME: '/nonexistent', SHARDCTL_STATE_DIR: '', STATE_DIRECTORY: join(folder, 'state') };
		const run = cli.run(['start', bot, '--name', 'boxed', '--shards', '1'], { env, cwd: '/' });
		await run.message(/^fleet ready/);
		expect(existsSync(join(folder, 'state', 'shardctl', 'boxed.sock'))).toBe(true);
		expect((await cli.output(['stats', '--name', 'boxed'], { env, cwd: '/' })).code).toBe(0);
		run.process.kill('SIGTERM');
		expect(await run.exit).toBe(0);
	});
});

describe('--port', () => {
	it('serves the control API over TCP: the command line connects with --url and token', async () => {
		const cli = cliSandbox();
		const env = { ...(await discord()), SHARDCTL_CONTROL_TOKEN: 'sixteen-characters' };
		const run = cli.run(['start', bot, '--port', '0', '--name', 'tcp', '--shards', '1'], { env });
		const { url } = (await run.message(/^control API on http:/)) as { url: string };
		await run.message(/^fleet ready/);
		const far = { env: { SHARDCTL_STATE_DIR: tempDir(), SHARDCTL_CONTROL_TOKEN: 'sixteen-characters' } };
		expect(JSON.parse((await cli.output(['stats', '--json', '--url', url], far)).stdout)).toMatchObject({
			manager: { name: 'tcp' },
		});
		for (const [command, code] of [
			['eval', '1'],
			['fetch', 'guilds.cache.size'],
		] as const) {
			expect(await cli.output([command, code, '--url', url], far)).toMatchObject({
				code: 1,
				stderr: expect.stringMatching(/--allow-eval/),
			});
		}
		const wrong = { env: { ...far.env, SHARDCTL_CONTROL_TOKEN: 'another' } };
		expect(await cli.output(['stats', '--url', url], wrong)).toMatchObject({
			code: 1,
			stderr: expect.stringMatching(/needs its token/),
		});
		await run.message(/rejected a request from 127\.0\.0\.1 without a valid token/);
		run.process.kill('SIGTERM');
		expect(await run.exit).toBe(0);
	});
});
