// Case 05: `shardctl start bot.js | head -2`. The reader of the output ends, and the fleet keeps running.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { cliSandbox, tempDir, waitFor } from '@shardctl/test-support';
import { expect, it } from 'vitest';

const discordJs = createRequire(import.meta.url).resolve('discord.js');

it.each(['pretty', 'json'])(
	'a fleet with --log-format %s keeps running when the reader of its output has ended',
	async (format) => {
		const folder = tempDir();
		const alive = join(folder, 'alive.txt');
		const bot = join(folder, 'talk.cjs');
		writeFileSync(
			bot,
			`const { Client } = require(${JSON.stringify(discordJs)});
		const { appendFileSync } = require('node:fs');
		const client = new Client({ intents: ['Guilds'] });
		client.once('clientReady', () => setInterval(() => {
			console.log('tick');
			console.error('tock');
			appendFileSync(${JSON.stringify(alive)}, '.');
		}, 50));
		client.login();`,
		);
		const cli = cliSandbox();
		const run = cli.run(['start', bot, '--shards', '1', '--simulate', '4', '--log-format', format, '--name', 'talk']);
		const ticks = () => (existsSync(alive) ? readFileSync(alive, 'utf8').length : 0);
		await waitFor('the bot to talk', () => ticks() > 2 && run.stdout().includes('tick'), { timeoutMs: 60_000 });
		run.process.stdout?.destroy();
		run.process.stderr?.destroy();
		const before = ticks();
		await waitFor('the bot to talk on', () => ticks() > before + 40, { timeoutMs: 60_000 });
		expect(await cli.output(['stop', '--name', 'talk'])).toMatchObject({ code: 0 });
		expect(await run.exit).toBe(0);
		expect(cli.survivors()).toEqual([]);
	},
);
