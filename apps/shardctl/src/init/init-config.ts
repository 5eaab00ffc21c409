// Writes a config file: detects likely values, asks in a terminal, and leaves everything else at its default.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { ShardctlError } from '@shardctl/core';
import { recogniseManagerFile } from '@shardctl/manager/manager-file';
import { configNames } from '../config/find-config.js';
import { exitCodes } from '../exit-codes.js';
import { ownCommand } from '../terminal/own-command.js';
import { printErr } from '../terminal/print.js';
import { type ConfigAnswers, type ConfigFormat, configText } from './config-text.js';
import type { InitOptions } from './init-options.js';

const likelyFiles = [
	'bot',
	'index',
	'main',
	'app',
	'src/bot',
	'src/index',
	'src/main',
	'dist/bot',
	'dist/index',
	'dist/main',
].flatMap((stem) => ['.js', '.mjs', '.cjs', '.py'].map((ending) => stem + ending));

/** Returns the exit status. Throws `OPTIONS_INVALID` when a config file exists already, or no file looks like the bot. */
export async function initConfig(file: string | undefined, { yes = false, format, force = false }: InitOptions): Promise<number> {
	const folder = process.cwd();
	const existing = configNames.find((name) => existsSync(join(folder, name)));
	if (existing && !force) {
		throw new ShardctlError('OPTIONS_INVALID', `${existing} already exists: edit it, or overwrite it with --force`);
	}
	const guess = file ?? detectedFile(folder);
	const form = format ?? (existsSync(join(folder, 'tsconfig.json')) ? 'ts' : 'js');
	const silent = yes || !process.stdin.isTTY;
	const answers = silent ? withoutQuestions(guess, form) : await asked(guess, form, format !== undefined);
	if (!answers) return exitCodes.failed;
	const path = join(folder, `shardctl.config.${answers.format}`);
	writeFileSync(path, configText(answers));
	if (silent && !yes) printErr('not in a terminal, so nothing was asked and every value is the default\n');
	printErr(`wrote ${basename(path)}; try it: ${ownCommand({ script: process.argv[1], cwd: folder })} start --simulate\n`);
	return exitCodes.fine;
}

function withoutQuestions(file: string | undefined, format: ConfigFormat): ConfigAnswers {
	if (file === undefined) {
		throw new ShardctlError(
			'OPTIONS_INVALID',
			'no file in this folder looks like the bot; name it, as in "shardctl init src/bot.js --yes"',
		);
	}
	return { file, format, shards: 'auto', shardsPerWorker: 1, gateway: isPython(file) ? 'resident' : 'direct' };
}

/** Undefined when the user cancelled. */
async function asked(guess: string | undefined, format: ConfigFormat, formatGiven: boolean): Promise<ConfigAnswers | undefined> {
	const { cancel, intro, isCancel, select, text } = await import('@clack/prompts');
	const cancelled = () => {
		cancel('Nothing was written.');
		return undefined;
	};
	intro('A config file for this bot');
	const file = await text({
		message: 'Which file starts the bot?',
		...(guess === undefined ? {} : { initialValue: guess }),
		validate: (value) => (value && existsSync(value) ? undefined : 'No such file.'),
	});
	if (isCancel(file)) return cancelled();
	const shards = await text({
		message: 'How many shards? ("auto": what Discord recommends)',
		initialValue: 'auto',
		validate: (value) =>
			value === 'auto' || /^[1-9]\d*$/.test(value ?? '') ? undefined : 'Enter a whole number from 1, or "auto".',
	});
	if (isCancel(shards)) return cancelled();
	const shardsPerWorker = await select<1 | 'auto'>({
		message: 'How many shards per process?',
		options: [
			{ value: 1, label: 'one', hint: 'a crash affects one shard' },
			{ value: 'auto', label: 'spread over the CPU cores', hint: 'uses less memory' },
		],
	});
	if (isCancel(shardsPerWorker)) return cancelled();
	// A bot that is not for Node.js has no choice.
	const gateway = isPython(file)
		? 'resident'
		: await select<ConfigAnswers['gateway']>({
				message: "Who holds the bot's sessions with Discord?",
				options: [
					{
						value: 'direct',
						label: 'the bot, as without shardctl',
						hint: 'a restart of the bot costs a session start per shard',
					},
					{ value: 'resident', label: 'processes of their own', hint: 'deploys and restarts without a gap; one more process' },
				],
			});
	if (isCancel(gateway)) return cancelled();
	const maxMemory = await text({
		message: 'Above how much memory is a process of the bot replaced? (such as 512MB; empty: never)',
		defaultValue: '',
		validate: (value) => (isSizeOrEmpty(value ?? '') ? undefined : 'Enter a size such as 512MB or 2GB, or nothing.'),
	});
	if (isCancel(maxMemory)) return cancelled();
	const form = formatGiven
		? format
		: await select<ConfigFormat>({
				message: 'Which format?',
				initialValue: format,
				options: [
					{ value: 'ts', label: 'TypeScript' },
					{ value: 'js', label: 'JavaScript' },
					{ value: 'json', label: 'JSON' },
				],
			});
	if (isCancel(form)) return cancelled();
	return {
		file,
		format: form,
		shardsPerWorker,
		shards: shards === 'auto' ? 'auto' : Number(shards),
		gateway,
		maxMemory: maxMemory === '' ? undefined : maxMemory,
	};
}

function isPython(file: string): boolean {
	return /\.pyw?$/i.test(file);
}

function isSizeOrEmpty(text: string): boolean {
	return text === '' || /^\d+(\.\d+)?\s*[kmgt]?b$/i.test(text);
}

function detectedFile(folder: string): string | undefined {
	const main = mainOf(join(folder, 'package.json'));
	for (const path of [main, ...likelyFiles]) {
		if (path === undefined || !existsSync(join(folder, path))) continue;
		const manager = recogniseManagerFile(join(folder, path), folder);
		// The bot is what a manager of another library starts.
		if (!manager) return path;
		if (manager.botFile !== undefined && existsSync(join(folder, manager.botFile))) return manager.botFile;
	}
	return undefined;
}

function mainOf(path: string): string | undefined {
	try {
		const { main } = JSON.parse(readFileSync(path, 'utf8')) as { main?: unknown };
		return typeof main === 'string' ? main : undefined;
	} catch {
		return undefined;
	}
}
