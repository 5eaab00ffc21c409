// The password of the Redis of a cluster: it reaches the processes that need it in their environment, and nothing else shows it.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createSimulator } from '@shardctl/simulator';
import { type CliSandbox, cliSandbox, tempDir, waitFor } from '@shardctl/test-support';
import { expect, it, onTestFinished } from 'vitest';
import { describeWithRedis, redisServer } from '../../packages/cluster/test/support/redis-server.js';
import { tinyBot } from '../faults/fleet.js';

const password = 'a-password-that-nothing-shows';

/** Every file of a folder, as one text each. */
function textsOf(folder: string): [string, string][] {
	return readdirSync(folder, { recursive: true, encoding: 'utf8' })
		.map((name) => join(folder, name))
		.filter((path) => !path.includes('compile-cache') && existsSync(path) && statSync(path).isFile())
		.map((path) => [path, readFileSync(path, 'latin1')]);
}

async function protectedRedis() {
	const redis = await redisServer({ args: ['--requirepass', password] });
	onTestFinished(() => redis.close());
	const simulator = await createSimulator({ guilds: 4, shards: 2, maxConcurrency: 16, identifyWindowMs: 100 });
	onTestFinished(() => simulator.stop());
	const logs = tempDir();
	const env = { DISCORD_TOKEN: simulator.token, SHARDCTL_API: simulator.url };
	const args = [
		'start',
		tinyBot,
		'--name',
		'fleet',
		'--gateway',
		'resident',
		'--shards',
		'2',
		'--lease',
		'4s',
		'--grace',
		'2s',
		'--log-dir',
		logs,
	];
	return { redis, env, logs, args, url: (with_: string) => redis.url.replace('//', `//:${with_}@`) };
}

async function outputsOf(cli: CliSandbox): Promise<string[]> {
	const commands = [
		['stats'],
		['stats', '--json'],
		['health', '--json'],
		['events', '--json'],
		['logs', '--json'],
		['metrics'],
		['list'],
		['list', '--json'],
	];
	const texts = [];
	for (const command of commands) {
		const { stdout, stderr } = await cli.output(command[0] === 'list' ? command : [...command, '--name', 'fleet']);
		texts.push(`${command.join(' ')}: ${stdout}${stderr}`);
	}
	return texts;
}

describeWithRedis('the password of a cluster', () => {
	it.each(['in the environment', 'as an argument'])(
		'given %s is in no log, record, response, or argument of a child',
		async (place) => {
			const { redis, env, logs, args, url } = await protectedRedis();
			const cli = cliSandbox();
			const inArgument = place === 'as an argument';
			const run = cli.run(inArgument ? [...args, '--cluster', url(password)] : args, {
				env: inArgument ? env : { ...env, SHARDCTL_CLUSTER: url(password) },
			});
			await run.message(/^fleet ready/);
			const others = cli.survivors().filter((pid) => pid !== run.pid);
			expect(others.length).toBeGreaterThanOrEqual(3);
			for (const pid of inArgument ? others : [run.pid, ...others]) {
				expect(readFileSync(`/proc/${pid}/cmdline`, 'utf8')).not.toContain(password);
				// Readable by this user only.
				expect(statSync(`/proc/${pid}/environ`).mode & 0o077).toBe(0);
			}
			const warned = run.json().some(({ event }) => event === 'argument:secret');
			expect(warned).toBe(inArgument);
			// A connection that breaks, and comes back, has errors and events of its own.
			await redis.restart();
			await waitFor('the fleet to be whole again', async () => (await cli.output(['health', '--name', 'fleet'])).code === 0);
			const texts = await outputsOf(cli);
			expect(await cli.output(['stop', '--name', 'fleet'])).toMatchObject({ code: 0 });
			await run.exit;
			texts.push(...(await outputsOf(cli)), run.stdout(), run.stderr());
			for (const text of texts) expect(text).not.toContain(password);
			for (const [path, text] of [...textsOf(cli.stateDir), ...textsOf(logs)])
				expect([path, text.includes(password)]).toEqual([path, false]);
		},
	);

	it.each([
		['is wrong', 'a-wrong-one', undefined],
		['is in a text that is no URL', 'x', `redis://:${'a-wrong-one'}@:port:x/`],
		['is in a URL of another kind', 'x', 'https://user:a-wrong-one@127.0.0.1:1'],
		['is in a URL of several servers', 'x', 'redis://:a-wrong-one@10.0.0.1,10.0.0.2:6379'],
		['is that of a server that is not there', 'x', 'redis://:a-wrong-one@127.0.0.1:1'],
	])('that %s is in no error', async (_, given, whole) => {
		const { env, logs, args, url } = await protectedRedis();
		const cli = cliSandbox();
		const cluster = { ...env, SHARDCTL_CLUSTER: whole ?? url(given) };
		for (const command of [args, ['doctor', tinyBot]]) {
			const run = cli.run(command, { env: cluster });
			expect(await run.exit).not.toBe(0);
			expect(run.stdout() + run.stderr()).not.toContain('a-wrong-one');
		}
		for (const [path, text] of textsOf(logs)) expect([path, text.includes('a-wrong-one')]).toEqual([path, false]);
	});
});
