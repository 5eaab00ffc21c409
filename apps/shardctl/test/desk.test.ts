// The commands that need no running fleet: doctor, init, simulate, completion, help.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createSimulator } from '@shardctl/simulator';
import { cliSandbox, tempDir, waitFor } from '@shardctl/test-support';
import { describe, expect, it, onTestFinished } from 'vitest';
import { hasProgram } from './terminal.js';

/** Where every library and shardctl are installed. */
const libraries = fileURLToPath(new URL('../../../test/node_modules', import.meta.url));

interface Found {
	ok: boolean;
	findings: { check: string; status: string; message: string; remedy?: string }[];
}

async function examined(args: readonly string[], env: Record<string, string> = {}, cwd = tempDir()) {
	const { code, stdout } = await cliSandbox().output(['doctor', '--json', ...args], { env: { NODE_PATH: '', ...env }, cwd });
	const { ok, findings } = JSON.parse(stdout) as Found;
	const of = (check: string) => findings.find((finding) => finding.check === check);
	for (const { status, remedy } of findings) expect(['warn', 'fail'].includes(status)).toBe(remedy !== undefined);
	return { code, ok, of };
}

describe('doctor', () => {
	it('A9: needs neither a token nor Discord where a simulated start is examined', async () => {
		const folder = tempDir();
		writeFileSync(join(folder, 'bot.cjs'), 'setInterval(() => {}, 1000);');
		const env = { DISCORD_TOKEN: '', SHARDCTL_API: 'http://127.0.0.1:65533' };
		const { code, ok, of } = await examined(['bot.cjs', '--no-import', '--simulate', '--shards', '4'], env, folder);
		expect({ code, ok }).toEqual({ code: 0, ok: true });
		expect([of('token'), of('gateway')]).toMatchObject([
			{ status: 'skip', message: 'skipped: --simulate' },
			{ status: 'skip', message: 'skipped: --simulate' },
		]);
		expect(await examined(['bot.cjs', '--no-import'], env, folder)).toMatchObject({ code: 1, ok: false });
	});

	it('finds no problem with a bot that would start', async () => {
		const simulator = await createSimulator({ guilds: 10, shards: 4, maxConcurrency: 2 });
		onTestFinished(() => simulator.stop());
		const folder = tempDir();
		writeFileSync(join(folder, 'bot.cjs'), `console.log('loading'); setInterval(() => {}, 1000);`);
		const { code, ok, of } = await examined(
			['bot.cjs', '--no-import'],
			{ DISCORD_TOKEN: simulator.token, SHARDCTL_API: simulator.url },
			folder,
		);
		expect({ code, ok }).toEqual({ code: 0, ok: true });
		expect(of('node')?.status).toBe('ok');
		expect(of('token')?.status).toBe('ok');
		expect(of('gateway')?.message).toBe('reachable; Discord recommends 4 shards');
		expect(of('budget')?.message).toBe('1000 of 1000 session starts left');
		expect(of('time')?.message).toBe('4 shards, 2 per 5 s: ready in about 5s plus one boot');
		expect(of('clock')?.status).toBe('ok');
		expect(of('descriptors')?.status).toBe('ok');
		expect(of('memory')?.message).toMatch(/4 shards in 4 workers: at least 480 MB plus caches/);
		expect(of('library')?.remedy).toMatch(/npm install discord\.js@14/);
	});

	it('counts sessions when the config has fewer sessions than shards', async () => {
		const simulator = await createSimulator({ guilds: 10, shards: 2, maxConcurrency: 1 });
		onTestFinished(() => simulator.stop());
		const folder = tempDir();
		writeFileSync(join(folder, 'bot.cjs'), '');
		const config = { file: 'bot.cjs', shards: 6, gateway: 'resident', gatewaySessions: 'auto' };
		writeFileSync(join(folder, 'shardctl.config.json'), JSON.stringify(config));
		const { of } = await examined(['--no-import'], { DISCORD_TOKEN: simulator.token, SHARDCTL_API: simulator.url }, folder);
		expect(of('gateway')?.message).toBe('reachable; Discord recommends 2 sessions');
		expect(of('time')?.message).toBe('2 sessions, 1 per 5 s: ready in about 5s plus one boot');
		expect(of('memory')?.message).toMatch(/6 shards in 6 workers/);
	});

	it('asks for the Redis of a queue, and does not import a worker, which would take events', async () => {
		const folder = tempDir();
		writeFileSync(join(folder, 'worker.mjs'), "throw new Error('it was imported');");
		const config = join(folder, 'shardctl.config.json');
		const queue = { gateway: { mode: 'queue' }, queue: 'http://127.0.0.1', workers: 3, shards: 2 };
		writeFileSync(config, JSON.stringify({ file: 'worker.mjs', ...queue }));
		const worker = await examined(['--simulate'], {}, folder);
		expect([worker.of('import'), worker.of('library'), worker.of('redis'), worker.of('memory')]).toMatchObject([
			{ status: 'skip', message: expect.stringMatching(/^skipped: a worker of the queue/) },
			undefined,
			{ status: 'fail', message: expect.stringMatching(/^queue: it does not begin/) },
			{ message: expect.stringMatching(/^2 shards and 3 workers: at least 320 MB/) },
		]);
		writeFileSync(config, JSON.stringify(queue));
		const sessions = await examined(['--simulate'], {}, folder);
		expect([sessions.of('file'), sessions.of('redis'), sessions.of('memory')]).toMatchObject([
			undefined,
			{ status: 'fail' },
			{ message: expect.stringMatching(/^2 shards and 0 workers/) },
		]);
	});

	it('runs a discord.js bot without logging in, and compares its intents with those granted', async () => {
		const simulator = await createSimulator({ guilds: 1, grantedIntents: 0 });
		onTestFinished(() => simulator.stop());
		const example = new URL('../../examples/plain-bot/bot.cjs', import.meta.url).pathname;
		const { code, of } = await examined([example], { DISCORD_TOKEN: simulator.token, SHARDCTL_API: simulator.url });
		expect(of('library')?.message).toMatch(/^discord\.js 14\./);
		expect(of('import')).toMatchObject({ status: 'ok', message: 'loads and calls discord.js to log in' });
		expect(of('intents')).toMatchObject({
			status: 'fail',
			message: expect.stringMatching(/^not granted: .*MESSAGE_CONTENT; Discord would close every session with 4014$/),
		});
		expect(code).toBe(1);
		expect(simulator.log.entries({ type: 'identify' })).toEqual([]);
	});

	it('runs the bot in threads where its workers are to be threads, and names what it cannot do there', async () => {
		const folder = tempDir();
		symlinkSync(libraries, join(folder, 'node_modules'), 'junction');
		const bot = "const { Client } = require('discord.js'); new Client({ intents: [] }).login();";
		writeFileSync(join(folder, 'bot.cjs'), bot);
		writeFileSync(join(folder, 'moves.cjs'), `process.chdir('/'); ${bot}`);
		writeFileSync(join(folder, 'bot.py'), '');
		const inThreads = (file: string) => examined([file, '--worker-mode', 'thread', '--simulate'], {}, folder);
		const [fine, moves, python] = [await inThreads('bot.cjs'), await inThreads('moves.cjs'), await inThreads('bot.py')];
		expect(fine.of('import')).toMatchObject({
			status: 'ok',
			message: 'loads and calls discord.js to log in, in several threads of a process',
		});
		expect(moves.of('import')).toMatchObject({
			status: 'fail',
			message: expect.stringMatching(/^fails in a thread: TypeError.*process\.chdir\(\) is not supported in workers/),
			remedy: expect.stringContaining('start it with --worker-mode process'),
		});
		expect(python.of('threads')).toMatchObject({ status: 'fail', message: 'only bots for Node.js run in threads' });
	});

	it.each([
		['eris', "const { Client } = require('eris'); const client = new Client('Bot doctor', { intents: [] });"],
		['oceanic.js', "const { Client } = require('oceanic.js'); const client = new Client({ auth: 'Bot doctor' });"],
		[
			'@discordjs/ws',
			"const { WebSocketManager } = require('@discordjs/ws'); const { REST } = require('@discordjs/rest'); const client = new WebSocketManager({ token: 'doctor', intents: 0, rest: new REST() });",
		],
	])('suggests attach() for a bot of %s that does not call it, and accepts one that does', async (library, client) => {
		const folder = tempDir();
		symlinkSync(libraries, join(folder, 'node_modules'), 'junction');
		writeFileSync(join(folder, 'without.cjs'), `${client} client.connect();`);
		writeFileSync(join(folder, 'with.cjs'), `${client} require('shardctl/worker').attach(client); client.connect();`);
		const api = ['--api', 'http://127.0.0.1:65533'];
		expect((await examined(['without.cjs', ...api], {}, folder)).of('import')).toMatchObject({
			status: 'fail',
			message: expect.stringContaining(`the bot's ${library} client connects without attach()`),
			remedy: expect.stringContaining('attach(client)'),
		});
		expect((await examined(['with.cjs', ...api], {}, folder)).of('import')).toMatchObject({ status: 'ok' });
	});

	it('runs the bot as a worker with one shard does: environment, standard input, own messages', async () => {
		const folder = tempDir();
		symlinkSync(libraries, join(folder, 'node_modules'), 'junction');
		writeFileSync(
			join(folder, 'bot.cjs'),
			`
process.send('ready');
process.send({ connects: 'not what it looks like' });
require('node:readline').createInterface({ input: process.stdin }).on('close', () => process.exit(3));
const { Client } = require('discord.js');
const { ClusterClient, getInfo } = require('discord-hybrid-sharding');
const { SHARD_LIST: shards, TOTAL_SHARDS: shardCount } = getInfo();
const client = new Client({ intents: ['Guilds'], shards, shardCount });
client.cluster = new ClusterClient(client);
if (client.shard.ids.join() !== '0' || client.cluster.count !== 1) process.exit(4);
setTimeout(() => client.login(), 200);`,
		);
		const { of } = await examined(['bot.cjs', '--api', 'http://127.0.0.1:65533'], {}, folder);
		expect(of('import')).toMatchObject({ status: 'ok', message: 'loads and calls discord.js to log in' });
	});

	it.each([
		['eris', 'eris', { status: 'ok', message: expect.stringMatching(/^eris 0\.\d+\.\d+; the bot must call attach/) }],
		[
			'eris',
			'eris-0.10',
			{ status: 'fail', message: expect.stringMatching(/^eris 0\.10\.\d+: shardctl supports 0\.13 and newer/) },
		],
		['oceanic.js', 'oceanic.js-1.6', { status: 'ok', message: expect.stringMatching(/^oceanic\.js 1\.6\./) }],
	])('checks the version of the library that the package.json names: %s, installed as %s', async (name, installed, finding) => {
		const folder = tempDir();
		writeFileSync(join(folder, 'package.json'), JSON.stringify({ dependencies: { [name]: '*' } }));
		mkdirSync(join(folder, 'node_modules'));
		// Other packages need discord.js, or it is unused.
		for (const [link, target] of [
			['discord.js', 'discord.js'],
			[name, installed],
		] as const) {
			symlinkSync(join(libraries, target), join(folder, 'node_modules', link), 'junction');
		}
		writeFileSync(join(folder, 'bot.cjs'), '');
		const { of } = await examined(['bot.cjs', '--no-import', '--api', 'http://127.0.0.1:65533'], {}, folder);
		expect(of('library')).toMatchObject(finding);
	});

	it('A3: lets the bot start no process, no connection and no port, and gives it no token', async () => {
		const folder = tempDir();
		// None of these is recognised by its text.
		const bots = {
			'starts.cjs': "require('node:child_process')['fo' + 'rk'](__filename);",
			'executes.mjs':
				"import { execSync } from 'node:child_process'; try { execSync('true'); } catch {} setInterval(() => {}, 1000);",
			'threads.cjs': "new (require('node:worker_threads').Worker)(__dirname + '/thread.cjs');",
			'thread.cjs': "fetch('https://discord.com/api/v10/gateway'); setInterval(() => {}, 1000);",
			'connects.cjs': "require('node:net').connect(5432, 'database.example'); setInterval(() => {}, 1000);",
			'fetches.mjs': "await fetch('http://127.0.0.1:65533/');",
			'loops.cjs': "if (process.env.DISCORD_TOKEN === 'secret' || process.env.BOT_TOKEN === 'secret') process.exit(7); for (;;);",
		};
		for (const [name, source] of Object.entries(bots)) writeFileSync(join(folder, name), source);
		const env = { DISCORD_TOKEN: 'secret', BOT_TOKEN: 'secret' };
		const importOf = async (name: string) => {
			const cli = cliSandbox();
			const { stdout } = await cli.output(['doctor', '--json', name, '--api', 'http://127.0.0.1:65533'], { env, cwd: folder });
			expect(cli.survivors()).toEqual([]);
			return (JSON.parse(stdout) as Found).findings.find(({ check }) => check === 'import');
		};
		// All at once, as some wait until the check gives up.
		const found = Object.fromEntries(
			await Promise.all(
				Object.keys(bots)
					.filter((name) => name !== 'thread.cjs')
					.map(async (name) => [name, await importOf(name)] as const),
			),
		);
		const starts = /starts another process before it logs in, which this check refuses: node \S+starts\.cjs$/;
		expect(found['starts.cjs']).toMatchObject({ status: 'warn', message: expect.stringMatching(starts) });
		expect(found['executes.mjs']).toMatchObject({ status: 'warn', message: expect.stringMatching(/refuses: true$/) });
		expect(found['threads.cjs']).toMatchObject({
			message: expect.stringMatching(/connects to discord\.com:443 by itself/),
			remedy: expect.stringMatching(/start the bot in a thread\? Name the file of the bot/),
		});
		expect(found['connects.cjs']).toMatchObject({
			status: 'warn',
			message: expect.stringMatching(/connects to database\.example:5432 before it logs in/),
		});
		expect(found['fetches.mjs']).toMatchObject({ message: expect.stringMatching(/connects to 127\.0\.0\.1:65533 before/) });
		expect(found['loops.cjs']).toMatchObject({ message: expect.stringMatching(/runs, but did not log in within 20 s/) });
	});

	it('A3: ends the process of the bot when it exits', async () => {
		const folder = tempDir();
		writeFileSync(join(folder, 'loops.cjs'), "require('node:fs').writeFileSync('started', ''); for (;;);");
		const cli = cliSandbox();
		const run = cli.run(['doctor', 'loops.cjs', '--api', 'http://127.0.0.1:65533'], { cwd: folder });
		await waitFor('the bot', () => existsSync(join(folder, 'started')));
		run.process.kill('SIGTERM');
		expect(await run.exit).toBe('SIGTERM');
		await waitFor('its end', () => cli.survivors().length === 0);
	});

	it('reports problems of the bot, the token and the API, each with its remedy', async () => {
		const folder = tempDir();
		writeFileSync(join(folder, 'broken.cjs'), "require('./missing.js');");
		writeFileSync(join(folder, 'quiet.cjs'), 'void 0;');
		const broken = await examined(['broken.cjs', '--api', 'http://127.0.0.1:65533'], { DISCORD_TOKEN: 'x'.repeat(32) }, folder);
		expect(broken.code).toBe(1);
		expect(broken.of('import')).toMatchObject({
			status: 'fail',
			message: expect.stringMatching(/Cannot find module '\.\/missing\.js'/),
		});
		expect(broken.of('token')).toMatchObject({ status: 'warn', remedy: expect.stringMatching(/OAuth2 client secret/) });
		expect(broken.of('gateway')).toMatchObject({ status: 'fail', message: expect.stringMatching(/ECONNREFUSED/) });
		const quiet = await examined(['quiet.cjs'], {}, folder);
		expect(quiet.of('import')).toMatchObject({ status: 'warn', message: 'exits without logging in' });
		expect(quiet.of('token')).toMatchObject({ status: 'fail', message: 'no token was given' });
		const nothing = await examined(['nothing.js'], {}, folder);
		expect(nothing.of('file')).toMatchObject({ status: 'fail', message: expect.stringMatching(/does not exist/) });
	});

	it('prints one line per finding, and a summary on standard error', async () => {
		const { stdout, stderr, code } = await cliSandbox().output(['doctor'], { cwd: tempDir() });
		expect(stdout).toMatch(/^✔ node .*Node \d/);
		expect(stdout).toMatch(/✖ token +no token was given\n +→ set DISCORD_TOKEN/);
		expect(stderr).toBe('1 problem: the fleet would not start\n');
		expect(code).toBe(1);
	});
});

describe('init', () => {
	it.each(['ts', 'js', 'json'])('writes a %s file that start accepts', async (format) => {
		const folder = tempDir();
		writeFileSync(join(folder, 'package.json'), '{ "name": "made", "main": "main.mjs" }');
		writeFileSync(join(folder, 'main.mjs'), '');
		const cli = cliSandbox();
		expect(await cli.output(['init', '--yes', '--format', format], { cwd: folder })).toMatchObject({
			code: 0,
			stdout: '',
			stderr: expect.stringMatching(/^wrote shardctl\.config\./),
		});
		expect(readFileSync(join(folder, `shardctl.config.${format}`), 'utf8')).toMatch(/file"?: ['"]main\.mjs['"]/);
		// It is read and valid up to the token, which is missing.
		expect(await cli.output(['start'], { cwd: folder })).toMatchObject({
			code: 2,
			stderr: expect.stringMatching(/^error: no bot token/),
		});
		expect(await cli.output(['init', '--yes'], { cwd: folder })).toMatchObject({
			code: 2,
			stderr: expect.stringMatching(/already exists/),
		});
		expect(await cli.output(['init', '--yes', '--force'], { cwd: folder })).toMatchObject({ code: 0 });
	});

	it('reports that no file looks like a bot', async () => {
		const { code, stderr } = await cliSandbox().output(['init', '--yes'], { cwd: tempDir() });
		expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(/no file in this folder looks like the bot/) });
	});
});

describe('simulate', () => {
	it('prints its address as one line of JSON, and exits on SIGTERM', async () => {
		const run = cliSandbox().run(['simulate', '--guilds', '3', '--shards', '2', '--set', 'sessionStarts.total=7']);
		await waitFor('its address', () => run.json().length === 1);
		const { url, token } = run.json()[0] as { url: string; token: string };
		const response = await fetch(`${url}/v10/gateway/bot`, { headers: { authorization: `Bot ${token}` } });
		expect(await response.json()).toMatchObject({ shards: 2, session_start_limit: { total: 7, max_concurrency: 1 } });
		run.process.kill('SIGTERM');
		expect(await run.exit).toBe(0);
	});

	it('rejects options that the simulator does not have', async () => {
		const { code, stderr } = await cliSandbox().output(['simulate', '--set', 'guilts=3']);
		expect({ code, stderr }).toEqual({
			code: 2,
			stderr: expect.stringMatching(/guilts: is not an option; did you mean "guilds"/),
		});
	});
});

describe('completion', () => {
	async function script(shell: string) {
		const path = join(tempDir(), `completion.${shell}`);
		const { stdout, code } = await cliSandbox().output(['completion', shell]);
		expect(code).toBe(0);
		writeFileSync(path, stdout);
		return path;
	}

	it('of bash completes commands, options and choices', async () => {
		const path = await script('bash');
		const complete = (...words: string[]) =>
			execFileSync(
				'bash',
				[
					'-c',
					`source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _shardctl; echo "\${COMPREPLY[@]}"`,
					path,
					'shardctl',
					...words,
				],
				{ encoding: 'utf8' },
			).trim();
		expect(complete('st')).toBe('start stats stop');
		expect(complete('start', '--shards-')).toBe('--shards-per-worker');
		expect(complete('start', '--log-format', '')).toBe('pretty json');
		expect(complete('completion', 'z')).toBe('zsh');
	});

	it.skipIf(!hasProgram('zsh'))('of zsh loads, and names every command', async () => {
		const path = await script('zsh');
		const said = execFileSync(
			'zsh',
			[
				'-f',
				'-c',
				'autoload -Uz compinit && compinit -D -u; source "$0"; print -r -- $_comps[shardctl]; functions _shardctl',
				path,
			],
			{ encoding: 'utf8' },
		);
		expect(said).toMatch(/^_shardctl\n/);
		expect(said).toMatch(/respawn/);
		execFileSync('zsh', ['-n', path]);
	});

	it.skipIf(!hasProgram('fish'))('of fish completes commands and options', async () => {
		const path = await script('fish');
		const complete = (line: string) =>
			execFileSync('fish', ['--no-config', '-c', `source ${path}; complete -C '${line}'`], { encoding: 'utf8' });
		const names = complete('shardctl res')
			.split('\n')
			.map((line) => line.split('\t')[0]);
		expect(names).toEqual(['reshard', 'respawn', 'restart', '']);
		expect(complete('shardctl restart --ro')).toMatch(/^--rolling\tone at a time/);
	});

	it('of another shell is rejected with the supported ones', async () => {
		expect(await cliSandbox().output(['completion', 'tcsh'])).toMatchObject({
			code: 2,
			stderr: expect.stringMatching(/Allowed choices are bash, zsh, fish/),
		});
	});
});

/** A file each. */
const commandNames = readdirSync(join(import.meta.dirname, '../src/commands'))
	.filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts') && name !== 'simulate-act.ts')
	.map((name) => name.slice(0, -'.ts'.length));

describe('help', () => {
	it('names every command, and is printed to standard output', async () => {
		const { code, stdout, stderr } = await cliSandbox().output(['--help']);
		expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
		for (const name of commandNames) {
			expect(stdout).toMatch(new RegExp(`^  ${name}[ |]`, 'm'));
		}
	});

	it("that the build has rendered equals the commands' help", async () => {
		const cli = cliSandbox();
		const rendered = await cli.output(['--help']);
		expect(await cli.output(['help'])).toEqual(rendered);
		expect(await cli.output(['-h'])).toEqual(rendered);
	});

	it('of every command fits 80 columns', async () => {
		const cli = cliSandbox();
		const helps = await Promise.all(
			['--help', ...commandNames].map((name) => cli.output(name === '--help' ? [name] : [name, '--help'])),
		);
		expect(helps.flatMap(({ stdout }) => stdout.split('\n')).filter((line) => line.length > 80)).toEqual([]);
		expect(helps.every(({ code }) => code === 0)).toBe(true);
	});

	it('without a command is printed to standard error, with exit status 2', async () => {
		expect(await cliSandbox().output([])).toMatchObject({ code: 2, stdout: '' });
	});
});
