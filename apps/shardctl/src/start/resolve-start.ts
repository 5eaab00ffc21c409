// Merges what a start is given: the command line over the environment over the config file, into the options of createShardManager and
// the settings of this process. Problems name the option as it was written, and in a config file its line.
import { basename, dirname, resolve } from 'node:path';
import { nearestName, type OptionProblem, optionsError, ShardctlError } from '@shardctl/core';
import type { ShardManagerOptions } from '@shardctl/manager';
import { configFileOptions } from '@shardctl/manager/options';
import { InvalidArgumentError } from 'commander';
import type { LoadedConfig } from '../config/load-config.js';
import { lineOfKey } from '../config/locate.js';
import { configKeys, type RunSettings } from './start-options.js';

export interface StartPlan {
	/** Null for a fleet that only writes to a queue. */
	file: string | null;
	manager: ShardManagerOptions;
	run: RunSettings;
	/** Adds to each problem of the options where it was written. */
	explain(error: unknown): unknown;
}

interface Read {
	manager: Record<string, unknown>;
	/** Parts of options, such as `control.port`. They are applied last, so that their order in the file does not matter. */
	parts: Record<string, unknown>;
	run: Record<string, unknown>;
	file: string | undefined;
	/** Option of createShardManager, or a part of one → the key that set it in the file. */
	origin: Map<string, string>;
}

const nothing = (): Read => ({ manager: {}, parts: {}, run: {}, file: undefined, origin: new Map() });

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
	const read = config ? readConfig(config) : nothing();
	const keys = configKeys();
	for (const [key, value] of Object.entries(given)) {
		const sets = keys.get(key)?.sets;
		if (sets === undefined) read.run[key] = value;
		else {
			targetOf(read, sets)[sets] = value;
			read.origin.delete(sets);
		}
	}
	if (args.length > 0) read.manager.args = [...args];
	if (read.run.exec === true) {
		const { interpreter } = read.manager;
		if (interpreter !== undefined && interpreter !== 'none') {
			const problem = `cannot be set with --exec, which starts ${file ?? read.file ?? 'the program'} itself`;
			throw optionsError('the options', [{ option: 'interpreter', problem }]);
		}
		read.manager.interpreter = 'none';
	}
	const bot = file ?? read.file;
	const isQueue = gatewayModeOf(read.manager) === 'queue';
	if (bot === undefined && !isQueue) {
		throw new ShardctlError(
			'BOT_FILE_INVALID',
			read.run.exec === true
				? 'name the program: shardctl start --exec -- COMMAND …'
				: 'name the file that starts the bot: shardctl start <file>, or "file" in a config file ("shardctl init" writes one)',
		);
	}
	return {
		file: bot ?? null,
		manager: withParts(read) as ShardManagerOptions,
		run: read.run as RunSettings,
		explain: (error) => (config ? located(error, config, read.origin) : error),
	};
}

/** Of options that may not be valid yet. */
export function gatewayModeOf({ gateway }: { gateway?: unknown }): unknown {
	return typeof gateway === 'object' && gateway !== null ? (gateway as { mode?: unknown }).mode : gateway;
}

function readConfig(config: LoadedConfig): Read {
	const read = nothing();
	const problems: OptionProblem[] = [];
	const keys = configKeys();
	const ownNames = configFileOptions();
	const known = [...keys.keys(), ...ownNames, 'file'];
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
				targetOf(read, declared.sets)[declared.sets] = parsed.value;
				read.origin.set(declared.sets, key);
			}
		} else if (ownNames.includes(key)) {
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

/** Strings are read like on the command line (`"30s"`, `"512MB"`); other values are used as they are. */
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

/** Where the value of an option belongs, or of a part of one. */
function targetOf({ manager, parts }: Read, sets: string): Record<string, unknown> {
	return sets.includes('.') ? parts : manager;
}

/** Options that may be a text instead of an object: the part that it is. */
const shortFor: Readonly<Record<string, string>> = { gateway: 'mode', reshard: 'mode', cluster: 'url', queue: 'url' };

function shortForm(name: string, text: unknown): Record<string, unknown> {
	if (text !== undefined) return { [shortFor[name] as string]: text };
	return name === 'gateway' ? { mode: 'direct' } : {};
}

/** The options with their parts, such as `--port` in `control`; the other parts stay as they are. */
function withParts({ manager, parts }: Read): Record<string, unknown> {
	const merged = { ...manager };
	for (const [path, value] of Object.entries(parts)) {
		const [name, part] = path.split('.') as [string, string];
		const whole = merged[name];
		// `control: true` has no parts.
		const base = typeof whole === 'object' ? whole : name in shortFor ? shortForm(name, whole) : {};
		merged[name] = { ...base, [part]: value };
	}
	return merged;
}

/** The same error with the file and the line before each problem that comes from the config file. */
function located(error: unknown, { path, source }: LoadedConfig, origin: ReadonlyMap<string, string>): unknown {
	if (!ShardctlError.is(error) || error.code !== 'OPTIONS_INVALID' || !Array.isArray(error.details.problems)) return error;
	const name = basename(path);
	const problems = (error.details.problems as OptionProblem[]).map(({ option, problem }) => {
		const [first = '', ...rest] = option.split('.');
		const key = origin.get(option) ?? [origin.get(first) ?? first, ...rest].join('.');
		const line = lineOfKey(source, key);
		const fromFile = origin.size === 0 || origin.has(option) || origin.has(first);
		return { option: fromFile ? `${name}${line === undefined ? '' : `:${line}`}: ${key}` : option, problem };
	});
	return optionsError('the options', problems);
}
