// Finding 12: text from Discord or a bot controls no terminal, in any command that prints it.
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { cliSandbox, tempDir, waitFor } from '@shardctl/test-support';
import { expect, it } from 'vitest';

const discordJs = createRequire(import.meta.url).resolve('discord.js');
/** A title, the clipboard, a wiped screen, a C1 control, and a reversed direction. */
const hostile = '\u001b]0;PWNED\u0007\u001b]52;c;Y3VybA==\u0007\u001b[2J\u009b31m\u202e';
const esc = String.fromCharCode(27);
const colours = new RegExp(`${esc}\\[[\\d;]*m`, 'g');

it('finding 12: start, events, stats, logs, health and eval print control characters visibly and pass none to the terminal', async () => {
	const bot = join(tempDir(), 'bot.cjs');
	writeFileSync(
		bot,
		`const { Client } = require(${JSON.stringify(discordJs)});
		const client = new Client({ intents: ['Guilds'] });
		client.once('clientReady', () => {
			console.log('said ' + ${JSON.stringify(hostile)});
			if (client.shard.ids[0] === 0) setTimeout(() => { throw new Error('no handler for ' + ${JSON.stringify(hostile)}); }, 300);
		});
		client.login();`,
	);
	const cli = cliSandbox();
	const runs = ['pretty', 'json'].map((format) => ({
		name: format,
		run: cli.run(['start', bot, '--shards', '2', '--simulate', '4', '--log-format', format, '--name', format]),
	}));
	for (const { name, run } of runs) {
		const all = () => run.stdout() + run.stderr();
		await waitFor('a death of the bot', () => all().includes('no handler for') && all().includes('said '), { timeoutMs: 60_000 });
		const commands = [
			['events'],
			['events', '--json'],
			['stats'],
			['stats', '--json'],
			['logs'],
			['logs', '--json'],
			['health'],
			['list'],
			['eval', `throw new Error(${JSON.stringify(hostile)})`, '--shard', '1'],
			['eval', JSON.stringify(hostile), '--shard', '1'],
			['eval', JSON.stringify(hostile), '--shard', '1', '--json'],
		];
		const texts = [all()];
		for (const command of commands) {
			const { stdout, stderr } = await cli.output([...command, '--name', name]);
			texts.push(stdout + stderr);
		}
		expect(texts.filter((text) => text.includes('PWNED')).length).toBeGreaterThan(6);
		// Colours are passed: a bot's own lines have them.
		const plain = texts.map((text) => text.replace(colours, ''));
		for (const text of plain) expect(text).not.toMatch(/(?![\n\t])[\p{Cc}\u202a-\u202e\u2066-\u2069]/u);
		await cli.output(['stop', '--name', name]);
		await run.exit;
	}
	expect(cli.survivors()).toEqual([]);
});
