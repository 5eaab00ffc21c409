// `shardctl simulate say|command|press|submit`: be a person in the simulated Discord, and see what the bot answers.
import { Command, InvalidArgumentError } from 'commander';
import { jsonOption, option } from '../option.js';
import { duration } from '../option-parsers.js';
import type * as Acts from '../simulate/act.js';
import { simulatorTargetOptions } from '../simulate/simulator-target.js';

/** The commands below `simulate`. */
export function actCommands(): Command[] {
	return [
		act('say', 'Writes a message.')
			.argument('<text>', 'what to write')
			.action(async (text: string, options: Acts.ActOptions) => (await loadActs()).say(text, options)),
		act('command', 'Uses a command of the bot and prints the answer.')
			.argument('<name>', 'name of the command, with its subcommand where it has one: "config set"')
			.argument('[option=value...]', 'options; users, channels and roles by id or by name')
			.addOption(option('--target <target>', 'for commands of the context menu: the user or the message', 'SIMULATE'))
			.action((name: string, options: string[], { target, ...rest }: Acts.ActOptions & { target?: string }) =>
				interact({ name, options: assignments(options), ...(target !== undefined && { target }) }, rest),
			),
		act('press', 'Presses a button, or chooses from a menu, and prints the answer.')
			.argument('[component]', 'custom id or label (default: the first component of the newest message that has one)')
			.argument('[value...]', 'what to choose from a menu, by value, label, id or name')
			.addOption(option('--message <id>', 'the message of the component (default: the newest that has it)', 'SIMULATE'))
			.action((component: string | undefined, values: string[], { message, ...rest }: Acts.ActOptions & { message?: string }) =>
				interact(
					{
						type: 3,
						...(component !== undefined && { custom_id: component }),
						...(values.length > 0 && { values }),
						...(message !== undefined && { message_id: message }),
					},
					rest,
				),
			),
		act('submit', 'Fills in the form (modal) that the bot opened last, and prints the answer.')
			.argument('[field=value...]', 'fields, by custom id or by label')
			.addOption(option('--form <custom-id>', 'another form than the one that was opened last', 'SIMULATE'))
			.action((fields: string[], { form, ...rest }: Acts.ActOptions & { form?: string }) =>
				interact({ type: 5, fields: assignments(fields), ...(form !== undefined && { custom_id: form }) }, rest),
			),
	];
}

function act(name: string, description: string): Command {
	const command = new Command(name)
		.description(description)
		.addOption(option('--guild <guild>', 'where, by id or name (default: the first guild)', 'SIMULATE'))
		.addOption(option('--channel <channel>', 'where, by id or name (default: the first text channel)', 'SIMULATE'))
		.addOption(option('--user <user>', 'who, by id or name (default: a member)', 'SIMULATE'))
		.addOption(option('--wait <time>', 'how long to wait for an answer', 'SIMULATE').default(5000, '5s').argParser(duration))
		.addOption(jsonOption());
	for (const each of simulatorTargetOptions()) command.addOption(each);
	return command;
}

/** Loaded with the first use: it brings the client of the control API along. */
function loadActs() {
	return import('../simulate/act.js');
}

const interact: typeof Acts.interact = async (...args) => (await loadActs()).interact(...args);

function assignments(list: readonly string[]): Record<string, string> {
	return Object.fromEntries(
		list.map((text) => {
			const at = text.indexOf('=');
			if (at < 1) throw new InvalidArgumentError(`"${text}" must be of the form name=value.`);
			return [text.slice(0, at), text.slice(at + 1)];
		}),
	);
}
