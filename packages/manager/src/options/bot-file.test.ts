import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { tempDir } from '@shardctl/test-support';
import { expect, it } from 'vitest';
import { absoluteBotFile } from './bot-file.js';

/** What is found in a folder with these files, or the message. */
function found(file: string, files: Record<string, string>): string {
	const folder = tempDir();
	for (const [name, text] of Object.entries(files)) {
		mkdirSync(dirname(join(folder, name)), { recursive: true });
		writeFileSync(join(folder, name), text);
	}
	const path = absoluteBotFile(file, folder);
	return (typeof path === 'string' ? path : path.message).replaceAll(folder, '…');
}

it.each([
	['bot.js', { 'bot.js': '' }, '…/bot.js'],
	['.', { 'package.json': '{"main":"src/bot.js"}', 'src/bot.js': '', 'index.js': '' }, '…/src/bot.js'],
	['.', { 'package.json': '{"main":"./dist"}', 'dist/index.js': '' }, '…/dist/index.js'],
	['.', { 'package.json': '{"main":"gone.js"}', 'index.mjs': '' }, '…/index.mjs'],
	['src', { 'src/index.ts': '' }, '…/src/index.ts'],
	['src/index', { 'src/index.ts': '' }, '…/src/index.ts'],
	['bot', { 'bot.js': '', 'bot/index.js': '' }, '…/bot.js'],
])('finds %s among %j', (file, files: Record<string, string>, path) => {
	expect(found(file, files)).toBe(path);
});

it.each([
	['bot.js', {}, /^the bot file …\/bot\.js does not exist/],
	['bot', {}, /^the bot file …\/bot does not exist/],
	['src', { 'src/main.js': '' }, /^…\/src is a directory: name the file that starts the bot/],
])('says why it cannot take %s among %j', (file, files: Record<string, string>, message) => {
	expect(found(file, files)).toMatch(message);
});
