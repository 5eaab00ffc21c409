// Puts together what a start is to do: the command line and the environment over the config file, and each into the options of
// createShardManager. Problems name the option as it was written, and in a config file its line.
import { basename, dirname, resolve } from 'node:path';
import { nearestName, type OptionProblem, optionsError, ShardctlError } from '@shardctl/core';
import type { ShardManagerOptions } from '@shardctl/manager';
import { InvalidArgumentError } from 'commander';
import type { LoadedConfig } from '../config/load-config.js';
import { lineOfKey } from '../config/locate.js';
import { configKeys, type RunSettings } from './start-options.js';

/** Options of createShardManager that make sense in a file; a logger or a clock does not. */
const managerOptionNames = [
	'token',
	'totalShards',
	'shardList',
	'shardsPerWorker',
	'respawn',
	'api',
	'args',
	'execArgv',
	'env',
	'cwd',
	'readyTimeoutMs',
	'shutdownGraceMs',
	'heartbeatTimeoutMs',
	'statsIntervalMs',
	'callTimeoutMs',
	'maxMemoryBytes',
	'identifyReserve',
	'identifyWindowMs',
	'name',
	'control',
] as const satisfies readonly (keyof ShardManagerOptions)[];

export interface StartPlan {
	file: string;
	manager: ShardManagerOptions;
	run: RunSettings;
	/** Says where each problem stands. */
	explain(error: unknown): unknown;
}

interface Read {
	manager: Record<string, unknown>;
	run: Record<string, unknown>;
	file: string | undefined;
	/** Option of createShardManager → the key that set it in the file. */
	origin: Map<string, string>;
}

/** @param given Options from the command line and the environment, parsed, by their config key. */
export function resolveStart({
	file,
	args,
	given,
	config,
}: {
	file: string | undefined;
	args: readonly string[];
	given: Readonly<Record<string, unknown>>;
	config: LoadedConfig | undefined;
}): StartPlan {
	const fromFile: Read = config ? readConfig(config) : { manager: {}, run: {}, file: undefined, origin: new Map() };
	const keys = configKeys();
	const manager = { ...fromFile.manager };
	const run: Record<string, unknown> = { ...fromFile.run };
	for (const [key, value] of Object.entries(given)) {
		const sets = keys.get(key)?.sets;
		if (sets === undefined) run[key] = value;
		else {
			manager[sets] = value;
			fromFile.origin.delete(sets);
		}
	}
	if (args.length > 0) manager.args = [...args];
	const bot = file ?? fromFile.file;
	if (bot === undefined) {
		throw new ShardctlError(
			'BOT_FILE_INVALID',
			'name the file that starts the bot: shardctl start <file>, or "file" in a config file ("shardctl init" writes one)',
		);
	}
	return {
		file: bot,
		manager: withGateway(withControl(manager, run), run) as ShardManagerOptions,
		run: run as RunSettings,
		explain: (error) => (config ? located(error, config, fromFile.origin) : error),
	};
}

function readConfig(config: LoadedConfig): Read {
	const read: Read = { manager: {}, run: {}, file: undefined, origin: new Map() };
	const problems: OptionProblem[] = [];
	const keys = configKeys();
	const known = [...keys.keys(), ...managerOptionNames, 'file'];
	for (const [key, value] of Object.entries(config.values)) {
		const declared = keys.get(key);
		if (key === 'file') read.file = botFile(config, value, problems);
		else if (declared && key !== 'config') {
			const parsed = parsedAsFlag(declared.option, value);
			if ('problem' in parsed) problems.push({ option: key, problem: parsed.problem });
			else if (declared.sets === undefined) read.run[key] = parsed.value;
			else if (declared.sets in read.manager)
				problems.push({ option: key, problem: `says the same as ${declared.sets}: keep one of them` });
			else {
				read.manager[declared.sets] = parsed.value;
				read.origin.set(declared.sets, key);
			}
		} else if ((managerOptionNames as readonly string[]).includes(key)) {
			if (key in read.manager)
				problems.push({ option: key, problem: `says the same as ${read.origin.get(key) ?? key}: keep one of them` });
			read.manager[key] = value;
			read.origin.set(key, key);
		} else {
			const meant = nearestName(key, known);
			problems.push({ option: key, problem: meant ? `is not an option; did you mean "${meant}"?` : 'is not an option' });
		}
	}
	if (problems.length > 0) throw located(optionsError(basename(config.path), problems), config, new Map());
	return read;
}

/** Texts are read as the command line reads them (`"30s"`, `"512MB"`); other values go through as they are. */
function parsedAsFlag(
	option: { parseArg?: unknown; argChoices?: readonly string[] | undefined },
	value: unknown,
): { value: unknown } | { problem: string } {
	if (typeof value !== 'string' || typeof option.parseArg !== 'function') return { value };
	if (option.argChoices && !option.argChoices.includes(value)) {
		return { problem: `must be ${option.argChoices.map((choice) => `"${choice}"`).join(' or ')}, got "${value}"` };
	}
	try {
		return { value: (option.parseArg as (text: string, previous: unknown) => unknown)(value, undefined) };
	} catch (error) {
		if (error instanceof InvalidArgumentError) return { problem: lowerFirst(error.message) };
		throw error;
	}
}

function lowerFirst(sentence: string): string {
	return sentence.replace(/^It must/, 'must').replace(/\.$/, '');
}

/** Paths in a config file start from its folder, wherever the command is run. */
function botFile({ path }: LoadedConfig, value: unknown, problems: OptionProblem[]): string | undefined {
	if (typeof value === 'string' && value !== '') return resolve(dirname(path), value);
	problems.push({ option: 'file', problem: 'must be the path of the file that starts the bot' });
	return undefined;
}

/** `--port`, `--host` and `--allow-eval` are parts of one option of the manager. */
function withControl(manager: Record<string, unknown>, { port, host, allowEval }: RunSettings): Record<string, unknown> {
	const parts = Object.entries({ port, host, allowEval }).filter(([, value]) => value !== undefined);
	if (parts.length === 0) return manager;
	const base = typeof manager.control === 'object' ? manager.control : {};
	return { ...manager, control: { ...base, ...Object.fromEntries(parts) } };
}

/** `--gateway-sessions` is a part of the option `gateway`. */
function withGateway(manager: Record<string, unknown>, { gatewaySessions: sessions }: RunSettings): Record<string, unknown> {
	if (sessions === undefined) return manager;
	const base = typeof manager.gateway === 'object' ? manager.gateway : { mode: manager.gateway ?? 'direct' };
	return { ...manager, gateway: { ...base, sessions } };
}

/** The same error with the file and the line before each problem that a config file is to blame for. */
function located(error: unknown, { path, source }: LoadedConfig, origin: ReadonlyMap<string, string>): unknown {
	if (!ShardctlError.is(error) || error.code !== 'OPTIONS_INVALID' || !Array.isArray(error.details.problems)) return error;
	const name = basename(path);
	const problems = (error.details.problems as OptionProblem[]).map(({ option, problem }) => {
		const [first = '', ...rest] = option.split('.');
		const key = [origin.get(first) ?? first, ...rest].join('.');
		const line = lineOfKey(source, key);
		const fromFile = origin.size === 0 || origin.has(first);
		return { option: fromFile ? `${name}${line === undefined ? '' : `:${line}`}: ${key}` : option, problem };
	});
	return optionsError('the options', problems);
}
