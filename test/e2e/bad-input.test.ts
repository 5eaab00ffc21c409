// Every invalid start: one clear message with a remedy, the right exit status, and nothing left behind.
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createSimulator } from '@shardctl/simulator';
import { type CliRun, cliSandbox, tempDir } from '@shardctl/test-support';
import { describe, expect, it, onTestFinished } from 'vitest';
import { examplePath } from './example-path.js';

const bot = examplePath('plain-bot/bot.cjs');
const token = { DISCORD_TOKEN: 'a.b.c' };

/** A start that fails: its exit status and all its output. Each one also checks that nothing is left. */
async function failedStart(args: readonly string[], env: Record<string, string> = token) {
	const cli = cliSandbox();
	const run = cli.run(['start', ...args], { env });
	const code = await run.exit;
	expect(cli.survivors()).toEqual([]);
	expect(readdirSync(cli.stateDir).filter((file) => /\.(sock|lock)$/.test(file))).toEqual([]);
	return { code, said: said(run) };
}

/** The messages of the JSON log, and what went to standard error. */
function said(run: CliRun): string {
	return [...run.json().map(({ msg }) => String(msg)), run.stderr()].join('\n');
}

describe('wrong usage is reported before anything starts, with exit status 2', () => {
	it.each([
		['a missing file', ['nothing.js'], /bot file .*nothing\.js does not exist/],
		['a directory', [examplePath('plain-bot')], /is a directory: name the file that starts the bot/],
		['0 shards', [bot, '--shards', '0'], /whole number from 1, or "auto", got "0"/],
		['-1 shards', [bot, '--shards', '-1'], /whole number from 1, or "auto", got "-1"/],
		['1.5 shards', [bot, '--shards', '1.5'], /whole number from 1, or "auto", got "1\.5"/],
		['"many" shards', [bot, '--shards', 'many'], /whole number from 1, or "auto", got "many"/],
		['a shard list with an empty part', [bot, '--shard-list', '0-3,,7'], /shardList: must be shard ids such as "0-3,7"/],
		['a shard id twice', [bot, '--shard-list', '0-3,2'], /each shard id once, got 2 twice/],
		[
			'a shard beyond the total',
			[bot, '--shards', '4', '--shard-list', '2-5'],
			/shard 4 does not exist: with 4 shards the ids are 0 to 3/,
		],
		['an unknown option', [bot, '--shrads', '4'], /unknown option '--shrads'[\s\S]*--shards/],
		['a duration that is none', [bot, '--grace', 'soon'], /a duration such as "500ms", "30s" or "2m", got "soon"/],
		['an API that is no URL', [bot, '--api', 'discord'], /api: must be the URL of a REST API/],
		['a name that is none', [bot, '--name', '../x'], /name: must be 1 to 64 letters/],
		['a token file that is not there', [bot, '--token-file', '/nowhere/token'], /token file \/nowhere\/token cannot be read/],
	])('%s', async (_, args, pattern) => {
		const { code, said: message } = await failedStart(args);
		expect(message).toMatch(pattern);
		expect(code).toBe(2);
	});

	it('no token: names the variable and how to try it without one', async () => {
		const { code, said: message } = await failedStart([bot], {});
		expect(message).toMatch(/no bot token: set .*DISCORD_TOKEN.*--simulate/);
		expect(code).toBe(2);
	});

	it('an unknown command: suggests the one that was probably meant', async () => {
		const { code, stderr } = await cliSandbox().output(['strat', bot]);
		expect(stderr).toMatch(/unknown command 'strat'[\s\S]*start/);
		expect(code).toBe(2);
	});
});

it('a token that Discord rejects ends the start with exit status 4, without a fork', async () => {
	const simulator = await createSimulator({ guilds: 1 });
	onTestFinished(() => simulator.stop());
	const { code, said: message } = await failedStart([bot], { DISCORD_TOKEN: 'wrong', SHARDCTL_API: simulator.url });
	expect(message).toMatch(/Discord answered 401: the bot token is wrong or was reset/);
	expect(message).not.toContain('wrong.');
	expect(code).toBe(4);
	expect(simulator.log.entries({ type: 'identify' })).toEqual([]);
});

it('an unreachable API ends the start with exit status 1 and names the address', async () => {
	const { code, said: message } = await failedStart([bot], { ...token, SHARDCTL_API: 'http://127.0.0.1:65533/api' });
	expect(message).toMatch(/no answer from http:\/\/127\.0\.0\.1:65533\/api\/v10\/gateway\/bot: .*ECONNREFUSED/);
	expect(code).toBe(1);
});

it('a server that is not Discord behind --api is reported as such', async () => {
	const simulator = await createSimulator({ guilds: 1 });
	onTestFinished(() => simulator.stop());
	const { code, said: message } = await failedStart([bot], { ...token, SHARDCTL_API: simulator.url.replace('/api', '/nothing') });
	expect(message).toMatch(/answered 404|did not answer as Discord does/);
	expect(code).toBe(1);
});

it('intents that Discord does not allow end the start with exit status 4 and name the remedy', async () => {
	const simulator = await createSimulator({ guilds: 1, shards: 2, maxConcurrency: 16, grantedIntents: 0 });
	onTestFinished(() => simulator.stop());
	const { code, said: message } = await failedStart([bot], { DISCORD_TOKEN: simulator.token, SHARDCTL_API: simulator.url });
	expect(message).toMatch(/refused shard \d \(4014\): a privileged intent is not enabled .* developer portal/);
	expect(code).toBe(4);
	expect(simulator.log.entries({ type: 'identify' }).length).toBeLessThanOrEqual(2);
});

it('too few remaining session starts are rejected before a fork, with the time of the reset', async () => {
	const simulator = await createSimulator({ guilds: 1, shards: 8, sessionStarts: { remaining: 5 } });
	onTestFinished(() => simulator.stop());
	const { code, said: message } = await failedStart([bot], { DISCORD_TOKEN: simulator.token, SHARDCTL_API: simulator.url });
	expect(message).toMatch(/the start needs 8 session starts, and Discord allows 5 more of today's 1000: wait until \d{4}-/);
	expect(code).toBe(1);
});

it('a bot that throws at import crash-loops into exit status 5, with its own error in the message and no identify', async () => {
	const simulator = await createSimulator({ guilds: 1, shards: 1 });
	onTestFinished(() => simulator.stop());
	const folder = tempDir();
	writeFileSync(join(folder, 'broken.js'), 'throw new Error("the bot is broken");\n');
	const { code, said: message } = await failedStart([join(folder, 'broken.js'), '--no-respawn'], {
		DISCORD_TOKEN: simulator.token,
		SHARDCTL_API: simulator.url,
	});
	expect(message).toContain('the bot is broken');
	expect(message).toMatch(/1 of 1 workers were given up/);
	expect(code).toBe(5);
	expect(simulator.log.entries({ type: 'identify' })).toEqual([]);
});

it('a second manager of one name is rejected with a remedy, and the first is not affected', async () => {
	const simulator = await createSimulator({ guilds: 1, shards: 1 });
	onTestFinished(() => simulator.stop());
	const env = { DISCORD_TOKEN: simulator.token, SHARDCTL_API: simulator.url };
	const cli = cliSandbox();
	const first = cli.run(['start', bot, '--name', 'twin'], { env });
	await first.message(/^fleet ready/);
	const second = cli.run(['start', bot, '--name', 'twin'], { env });
	expect(await second.exit).toBe(1);
	expect(said(second)).toMatch(
		/a manager named "twin" is running already \(process \d+\): stop it with "shardctl stop --name twin"/,
	);
	expect(await cli.output(['stats', '--name', 'twin'])).toMatchObject({ code: 0 });
	first.process.kill('SIGTERM');
	expect(await first.exit).toBe(0);
	expect(simulator.log.entries({ type: 'identify' })).toHaveLength(1);
	expect(cli.survivors()).toEqual([]);
});

// With the lowest limit the command itself cannot load, with the next it cannot start a process, with the last the process cannot.
it.runIf(process.platform !== 'win32').each([20, 24, 32])(
	'finding 18: a command with too low a limit of open files (%i) reports it, and how to raise it',
	async (limit) => {
		const cli = cliSandbox();
		const command = ['sh', '-c', `ulimit -n ${limit}; exec "$0" "$@"`, process.execPath, cli.program];
		const run = cli.run(['start', bot, '--simulate', '4'], { command });
		expect(await run.exit).toBe(1);
		const lines = run.stderr().trimEnd().split('\n');
		expect(lines[0]).toMatch(/^error: .*too many open files.*\bulimit -n \d+, or LimitNOFILE= in the systemd unit/);
		expect(lines.filter((line) => !line.startsWith('error: '))).toEqual([]);
	},
);
