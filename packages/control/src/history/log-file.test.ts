import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tempDir } from '@shardctl/test-support';
import { expect, it } from 'vitest';
import { LogFile } from './log-file.js';

it('keeps the newest lines in files of bounded size and number', () => {
	const folder = join(tempDir(), 'logs');
	const log = new LogFile(folder, 'bot', { maxBytes: 100, maxFiles: 3 });
	for (let i = 0; i < 100; i++) log.write(`line ${i}\n`);
	log.close();
	expect(readdirSync(folder).sort()).toEqual(['bot.log', 'bot.log.1', 'bot.log.2']);
	const text = ['bot.log.2', 'bot.log.1', 'bot.log'].map((name) => readFileSync(join(folder, name), 'utf8'));
	for (const each of text) expect(each.length).toBeLessThan(120);
	const lines = text.join('').trim().split('\n');
	expect(lines).toEqual(lines.map((_, index) => `line ${100 - lines.length + index}`));
	expect(statSync(join(folder, 'bot.log')).mode & 0o777).toBe(0o600);
});

it('appends to the last file', () => {
	const folder = tempDir();
	for (const line of ['one\n', 'two\n']) {
		const log = new LogFile(folder, 'bot');
		log.write(line);
		log.close();
	}
	expect(readFileSync(join(folder, 'bot.log'), 'utf8')).toBe('one\ntwo\n');
});

it('reports which folder cannot be written', () => {
	const file = join(tempDir(), 'file');
	writeFileSync(file, '');
	expect(() => new LogFile(join(file, 'logs'), 'bot')).toThrow(/the log folder .* cannot be written/);
});
