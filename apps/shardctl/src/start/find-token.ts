// Finds the bot's token where bots keep it, where none was given: variables of the environment, `.env`, a config file. What it returns names
// the place and never the value.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { ShardctlError } from '@shardctl/core';

export interface FoundToken {
	token: string;
	/** For people: `the variable BOT_TOKEN`, `config.json, line 3`. */
	place: string;
}

export interface TokenSearch {
	/** Where the command runs: paths are named from here, and `.env` is read here as `node --env-file=.env` would. */
	cwd: string;
	botFile: string;
	/** Of the bot: `--env-file` in them names a file. */
	execArgv: readonly string[];
	env: NodeJS.ProcessEnv;
}

const maxBytes = 64 * 1024;
/** Not `.env.example` and the like. */
const envFile = /^\.env(?:\.(?:local|prod|production))?$/;
const configFile =
	/^(?:config|configuration|settings|auth|token|secrets?|credentials|bot|bot\.?config|default|production)\.(?:json[c5]?|ya?ml|toml|ini|py|[cm]?[jt]s)$/i;
const configFolders = ['.', 'config', 'src', join('src', 'config')];
/** `--env-file=.env`, `--env-file-if-exists=.env`; node requires the equals sign. */
const envFileFlag = /^--env-file(?:-if-exists)?=(.+)$/;
const tokenShape = /(?<![\w.-])[\w-]{18,40}\.[\w-]{4,8}\.[\w-]{20,80}(?![\w.-])/g;

/**
 * The token of the first kind of place that has one: the environment, `.env` files, config files. Throws `TOKEN_MISSING` where one kind has
 * several different ones; returns undefined where there is none.
 */
export function findToken({ cwd, botFile, execArgv, env }: TokenSearch): FoundToken | undefined {
	const name = (path: string) => relative(cwd, path) || path;
	const folders = [...new Set([cwd, dirname(botFile), packageFolder(botFile)])];
	const named = execArgv.flatMap((argument) => envFileFlag.exec(argument)?.[1] ?? []).map((path) => join(cwd, path));
	const kinds: (() => FoundToken[])[] = [
		() => inEnvironment(env),
		() => named.flatMap((path) => inEnvFile(path, name(path))),
		...folders.map((folder) => () => filesIn(folder, envFile).flatMap((path) => inEnvFile(path, name(path)))),
		() =>
			folders
				.flatMap((folder) => configFolders.map((below) => join(folder, below)))
				.filter((folder, index, all) => all.indexOf(folder) === index)
				.flatMap((folder) => filesIn(folder, configFile))
				.flatMap((path) => inText(readText(path), name(path))),
	];
	for (const find of kinds) {
		const found = find();
		const [first] = found;
		if (!first) continue;
		if (found.some(({ token }) => token !== first.token)) throw ambiguous(found);
		return first;
	}
	return undefined;
}

function inEnvironment(env: NodeJS.ProcessEnv): FoundToken[] {
	return Object.entries(env).flatMap(([variable, value = '']) =>
		/token/i.test(variable) && tokensIn(value).length === 1 ? [{ token: bare(value), place: `the variable ${variable}` }] : [],
	);
}

/** `DISCORD_TOKEN` whatever it looks like, or what looks like a token. */
function inEnvFile(path: string, name: string): FoundToken[] {
	const text = readText(path);
	const value = /^\s*(?:export\s+)?DISCORD_TOKEN\s*=\s*(["'`]?)(.+?)\1\s*(?:#.*)?$/m.exec(text)?.[2];
	return value === undefined ? inText(text, name) : [{ token: bare(value), place: `${name} (DISCORD_TOKEN)` }];
}

function inText(text: string, name: string): FoundToken[] {
	return text.split('\n').flatMap((line, index) => {
		const isComment = /^\s*(?:#|\/\/|;)/.test(line);
		return isComment ? [] : tokensIn(line).map((token) => ({ token, place: `${name}, line ${index + 1}` }));
	});
}

/** The first part of a token is the bot's id in base64: that distinguishes it from a JWT and from a placeholder. */
function tokensIn(text: string): string[] {
	return (text.match(tokenShape) ?? []).filter((candidate) =>
		/^\d{15,20}$/.test(Buffer.from(candidate.slice(0, candidate.indexOf('.')), 'base64url').toString('latin1')),
	);
}

function bare(value: string): string {
	return value.trim().replace(/^Bot\s+/i, '');
}

function filesIn(folder: string, pattern: RegExp): string[] {
	try {
		return readdirSync(folder)
			.filter((file) => pattern.test(file))
			.sort()
			.map((file) => join(folder, file));
	} catch {
		return [];
	}
}

function readText(path: string): string {
	try {
		return statSync(path).size > maxBytes ? '' : readFileSync(path, 'utf8');
	} catch {
		return '';
	}
}

function packageFolder(botFile: string): string {
	for (let folder = dirname(botFile); ; folder = dirname(folder)) {
		if (filesIn(folder, /^package\.json$/).length > 0) return folder;
		if (folder === dirname(folder)) return dirname(botFile);
	}
}

function ambiguous(found: readonly FoundToken[]): ShardctlError {
	const places = [...new Set(found.map(({ place }) => place))].join(', ');
	return new ShardctlError('TOKEN_MISSING', `several different bot tokens: ${places}. Set DISCORD_TOKEN, or use --token-file`);
}
