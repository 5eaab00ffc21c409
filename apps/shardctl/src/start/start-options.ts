// Every option of `start`, once: those of createShardManager from the manager's own table, and here those of this process.
import { type OptionFlag, type OptionKind, optionFlags } from '@shardctl/manager/options';
import type { Option } from 'commander';
import { option } from '../option.js';
import { duration, size, whole, wholeOrAuto } from '../option-parsers.js';

/** How this process runs the manager. */
export interface RunSettings {
	config?: string;
	/** The file is a program of its own: `interpreter: 'none'`. */
	exec?: boolean;
	simulate?: number | true;
	tokenFile?: string;
	detach?: boolean;
	wait?: boolean;
	logFormat?: 'pretty' | 'json';
	logDir?: string;
}

interface Declared {
	option: Option;
	/** The option of createShardManager that it sets, or a part of one, such as `control.port`. */
	sets?: string;
}

/** How the text of a flag becomes a value, by what the option may be; other kinds take the text as it is. */
const readers: Partial<Record<OptionKind, (text: string) => unknown>> = {
	count: whole(1),
	'count or auto': wholeOrAuto,
	duration,
	size,
	'whole number': whole(0),
	'flag or port': flagOrPort,
};

function ofManager({ flags, help, defaultHelp, kind, choices, sets }: OptionFlag): Declared {
	const made = option(flags, defaultHelp === undefined ? help : `${help} (default: ${defaultHelp})`);
	const read = readers[kind];
	if (read) made.argParser(read);
	if (choices) made.choices([...choices]);
	return { option: made, sets };
}

function ofThisProcess(): Declared[] {
	return [
		{
			option: option('--exec', 'the file is a program of its own, with its arguments after it: start --exec -- ./my-bot --flag'),
		},
		{
			option: option(
				'--token-file <file>',
				"read the token from a file (default: DISCORD_TOKEN, or the bot's own .env or config file)",
			),
		},
		{ option: option('--simulate [guilds]', 'run on a simulated Discord: needs no token').argParser(guildCount) },
		{ option: option('-d, --detach', 'run in the background, with log files') },
		{ option: option('--wait', 'with --detach: return when the fleet is ready or has failed (default: when it has its plan)') },
		{
			option: option('--log-dir <folder>', 'also write the log to files here, rotated (default with --detach: the state folder)'),
		},
		{
			option: option(
				'--log-format <format>',
				'pretty for people, json for programs (default: pretty on a terminal, else json)',
			).choices(['pretty', 'json']),
		},
		{ option: option('-c, --config <file>', 'the config file (default: shardctl.config.{ts,js,json} in this folder)') },
	];
}

function declared(): Declared[] {
	return [...optionFlags().map(ofManager), ...ofThisProcess()];
}

/** `true` in the environment means the flag without a port. */
function flagOrPort(text: string): number | boolean {
	return text === 'true' || (text !== 'false' && whole(0)(text));
}

/** `true` in the environment means the flag without a number. */
function guildCount(text: string): number | true {
	return text === 'true' ? true : whole(0)(text);
}

export function startOptions(): Option[] {
	return declared().map(({ option: each }) => each);
}

/** Config key → its option: a config file takes what the command line takes, in the same notation. */
export function configKeys(): ReadonlyMap<string, Declared> {
	return new Map(declared().map((each) => [each.option.attributeName(), each]));
}
