// The questions of `shardctl init` in a terminal: valid answers, invalid ones, and a user who aborts.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cliSandbox, tempDir } from '@shardctl/test-support';
import { describe, expect, it } from 'vitest';
import { hasProgram, inTerminal } from './terminal.js';

const key = { enter: '\r', down: '\u001b[B', backspace: '\u007f', ctrlC: '\u0003' };
const erase = (text: string) => key.backspace.repeat(text.length);

function botFolder(): string {
	const folder = tempDir();
	writeFileSync(join(folder, 'bot.js'), '');
	writeFileSync(join(folder, 'other.mjs'), '');
	return folder;
}

describe.skipIf(!hasProgram('script'))('the questions of init', () => {
	it('have matching values filled in', async () => {
		const cwd = botFolder();
		const terminal = inTerminal(['init'], { cwd });
		await terminal.shows(/Which file starts the bot\?[\s\S]*bot\.js/);
		terminal.type(key.enter);
		await terminal.shows(/How many shards\?[\s\S]*auto/);
		terminal.type(key.enter);
		await terminal.shows(/per process\?[\s\S]*one/);
		terminal.type(key.enter);
		await terminal.shows(/Who holds the bot's sessions[\s\S]*the bot/);
		terminal.type(key.enter);
		await terminal.shows(/how much memory/);
		terminal.type(key.enter);
		await terminal.shows(/Which format\?[\s\S]*JavaScript/);
		terminal.type(key.enter);
		expect(await terminal.exit).toBe(0);
		expect(terminal.text()).toMatch(/wrote shardctl\.config\.js; try it: node .*shardctl\.js start --simulate/);
		expect(readFileSync(join(cwd, 'shardctl.config.js'), 'utf8')).toMatch(
			/file: 'bot\.js'[\s\S]*shards: 'auto'[\s\S]*shardsPerWorker: 1,[\s\S]*gateway: 'direct',\n\t\/\/ maxMemory/,
		);
		// It is read and valid up to the token, which is missing.
		expect(await cliSandbox().output(['start'], { cwd })).toMatchObject({
			code: 2,
			stderr: expect.stringMatching(/^error: no bot token/),
		});
	});

	it('are repeated after an invalid answer, with an explanation', async () => {
		const cwd = botFolder();
		const terminal = inTerminal(['init', '--format', 'json'], { cwd });
		await terminal.shows(/Which file/);
		terminal.type(`${erase('bot.js')}nothing.js${key.enter}`);
		await terminal.shows(/No such file\./);
		terminal.type(`${erase('nothing.js')}other.mjs${key.enter}`);
		await terminal.shows(/How many shards/);
		terminal.type(`${erase('auto')}0${key.enter}`);
		await terminal.shows(/Enter a whole number from 1, or "auto"\./);
		terminal.type(`${erase('0')}12${key.enter}`);
		await terminal.shows(/per process/);
		terminal.type(`${key.down}${key.enter}`);
		// A9: the one thing that sets this tool apart, and memory.
		await terminal.shows(/Who holds/);
		terminal.type(`${key.down}${key.enter}`);
		await terminal.shows(/how much memory/);
		terminal.type(`lots${key.enter}`);
		await terminal.shows(/Enter a size such as 512MB/);
		terminal.type(`${erase('lots')}512MB${key.enter}`);
		expect(await terminal.exit).toBe(0);
		expect(JSON.parse(readFileSync(join(cwd, 'shardctl.config.json'), 'utf8'))).toEqual({
			file: 'other.mjs',
			shards: 12,
			shardsPerWorker: 'auto',
			gateway: 'resident',
			maxMemory: '512MB',
		});
	});

	it.each(['Which file starts the bot?', 'How many shards?', 'How many shards per process?'])(
		'are aborted by Ctrl-C at "%s": nothing is written, and the exit status shows it',
		async (last) => {
			const cwd = botFolder();
			const before = readdirSync(cwd);
			const terminal = inTerminal(['init'], { cwd, after: 'stty -a' });
			for (const question of ['Which file starts the bot?', 'How many shards?', 'How many shards per process?']) {
				await terminal.shows(new RegExp(question.replaceAll('?', '\\?')));
				terminal.type(question === last ? key.ctrlC : key.enter);
				if (question === last) break;
			}
			expect(await terminal.exit).toBe(1);
			expect(terminal.text()).toContain('Nothing was written.');
			expect(readdirSync(cwd)).toEqual(before);
			// The terminal is restored, with its cursor.
			expect(terminal.text()).toMatch(/[^-]icanon[\s\S]*[^-]echo /);
			expect(terminal.raw().lastIndexOf('\u001b[?25h')).toBeGreaterThan(terminal.raw().lastIndexOf('\u001b[?25l'));
		},
	);

	it('are not asked when a config file exists', async () => {
		const cwd = botFolder();
		writeFileSync(join(cwd, 'shardctl.config.json'), '{}');
		const terminal = inTerminal(['init'], { cwd });
		expect(await terminal.exit).toBe(2);
		expect(terminal.text()).toMatch(/^error: shardctl\.config\.json already exists: edit it, or overwrite it with --force/);
		expect(existsSync(join(cwd, 'shardctl.config.js'))).toBe(false);
	});
});
