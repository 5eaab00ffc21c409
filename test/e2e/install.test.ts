// What users get: the packed package, installed by plain npm into an empty folder beside a bot with its own discord.js.
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { cliSandbox, tempDir } from '@shardctl/test-support';
import { expect, it } from 'vitest';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));

it('installs with plain npm, runs a bot on a simulated Discord, and exports its three entry points with types', async () => {
	const folder = tempDir();
	const { stdout } = await run(process.execPath, ['scripts/pack.mjs', '--out', folder], { cwd: root });
	const tarball = stdout.trim();
	const bot = join(folder, 'bot');
	await run('mkdir', [bot]);
	writeFileSync(join(bot, 'package.json'), '{ "name": "my-bot", "private": true }');
	await run('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', tarball, 'discord.js@14'], { cwd: bot });
	// The file that the README gives to Prometheus.
	expect(readFileSync(join(bot, 'node_modules', 'shardctl', 'alerts.yml'), 'utf8')).toMatch(/^groups:/m);
	writeFileSync(
		join(bot, 'bot.js'),
		`const { Client, Events } = require('discord.js');
		const client = new Client({ intents: ['Guilds'] });
		client.once(Events.ClientReady, () => console.log('shard', client.shard.ids, 'has', client.guilds.cache.size, 'guilds'));
		client.login();`,
	);

	const cli = cliSandbox();
	const fleet = cli.run(['start', 'bot.js', '--simulate', '6', '--shards', '2'], {
		cwd: bot,
		command: ['npx', '--no-install', 'shardctl'],
	});
	await fleet.message(/^fleet ready: 2 shards/, 60_000);
	const { stdout: stats } = await cli.output(['stats', '--json', '--name', 'my-bot'], { cwd: bot });
	const { manager, shards } = JSON.parse(stats) as { manager: { pid: number }; shards: { guildCount: number }[] };
	expect(shards.reduce((sum, { guildCount }) => sum + guildCount, 0)).toBe(6);
	process.kill(manager.pid, 'SIGTERM');
	expect(await fleet.exit).toBe(0);
	expect(cli.survivors()).toEqual([]);

	const doors = `import { createShardManager, ShardctlError } from 'shardctl';
		import { getShardInfo } from 'shardctl/worker';
		import { createSimulator } from 'shardctl/simulator';
		console.log(typeof createShardManager, ShardctlError.name, getShardInfo().sharded, typeof createSimulator);`;
	writeFileSync(join(bot, 'doors.mjs'), doors);
	expect((await run(process.execPath, ['doors.mjs'], { cwd: bot })).stdout).toBe('function ShardctlError false function\n');

	writeFileSync(join(bot, 'doors.mts'), doors);
	const tsc = join(root, 'node_modules', '.bin', 'tsc');
	const types = [
		'--noEmit',
		'--strict',
		'--skipLibCheck',
		'--module',
		'nodenext',
		'--types',
		'node',
		'--typeRoots',
		join(root, 'node_modules', '@types'),
	];
	await run(tsc, [...types, 'doors.mts'], { cwd: bot });
});
